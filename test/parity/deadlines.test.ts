import { once } from "node:events";
import { describe } from "node:test";
import { createFakeClock } from "connectum/testing";
import { drain, outcomeOf } from "./outcome.ts";
import { parity } from "./parity.ts";
import { openEnded, waiting } from "./waiting.ts";

const DEADLINE_MS = 60_000;

/** The client's clock and the server's run out together, so whose news comes first is luck. */
const either = () => "canceled or deadline exceeded";

/** How a call with a deadline ends when all its time has passed while the handler waits. */
async function runOut(
  { events }: Pick<ReturnType<typeof waiting>, "events">,
  call: (options: { timeoutMs: number }) => Promise<unknown>,
): Promise<unknown> {
  const clock = createFakeClock();
  try {
    const isWaiting = once(events, "waiting");
    const ending = outcomeOf(call({ timeoutMs: DEADLINE_MS }));
    await isWaiting;
    await clock.advance(DEADLINE_MS);
    return await ending;
  } finally {
    clock.dispose();
  }
}

describe("deadlines are the same everywhere", () => {
  parity("a deadline passes during a unary call", (log) => {
    const waiter = waiting(log, either);
    return {
      ...waiter,
      isCutShort: true,
      logged: 1,
      call: (client) => runOut(waiter, (options) => client.once({}, options)),
    };
  });

  parity("a deadline passes in a handler that does not listen", (log) => {
    const { events } = waiting(log);
    return {
      isCutShort: true,
      service: {
        once() {
          events.emit("waiting");
          return new Promise(() => {});
        },
      },
      call: (client) => runOut({ events }, (options) => client.once({}, options)),
    };
  });

  parity("a deadline passes during a server stream", (log) => {
    const waiter = waiting(log, either);
    return {
      ...waiter,
      isCutShort: true,
      logged: 2,
      call: (client) => runOut(waiter, (options) => drain(client.download({}, options))),
    };
  });

  parity("a deadline passes during a client stream", (log) => {
    const waiter = waiting(log, either);
    return {
      ...waiter,
      isCutShort: true,
      logged: 2,
      call: (client) => runOut(waiter, (options) => client.upload(openEnded(), options)),
    };
  });

  parity("a deadline passes during a bidi stream", (log) => {
    const waiter = waiting(log, either);
    return {
      ...waiter,
      isCutShort: true,
      isFullDuplex: true,
      logged: 2,
      call: (client) => runOut(waiter, (options) => drain(client.talk(openEnded(), options))),
    };
  });

  // A gRPC timeout has at most eight digits.
  for (const timeoutMs of [undefined, 0, -1, 3_600_000, 99_999_999]) {
    parity(`the handler sees a timeout of ${timeoutMs}`, (log) => ({
      service: {
        once(_, context) {
          const left = context.timeoutMs();
          log(left === undefined ? "none" : Math.ceil(left / 60_000));
          return {};
        },
      },
      call: async (client) => void (await client.once({}, { timeoutMs })),
    }));
  }

  parity("the server shortens a deadline", (log) => ({
    ...waiting(log),
    options: { maxTimeoutMs: 30 },
    logged: 1,
    call: (client) => client.once({}, { timeoutMs: 60_000 }),
  }));
});

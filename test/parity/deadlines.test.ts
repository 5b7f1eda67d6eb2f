import { describe } from "node:test";
import { drain } from "./outcome.ts";
import { parity } from "./parity.ts";
import { openEnded, waiting } from "./waiting.ts";

/** Long enough that a call reaches its handler before, on a busy machine, too. */
const DEADLINE_MS = 3_000;

/** The client's clock and the server's run out together, so whose news comes first is luck. */
const either = () => "canceled or deadline exceeded";

describe("deadlines are the same everywhere", { concurrency: true }, () => {
  parity("a deadline passes during a unary call", (log) => ({
    ...waiting(log, either),
    logged: 1,
    call: (client) => client.once({}, { timeoutMs: DEADLINE_MS }),
  }));

  parity("a deadline passes in a handler that does not listen", () => ({
    service: { once: () => new Promise(() => {}) },
    call: (client) => client.once({}, { timeoutMs: DEADLINE_MS }),
  }));

  parity("a deadline passes during a server stream", (log) => ({
    ...waiting(log, either),
    logged: 2,
    call: (client) => drain(client.download({}, { timeoutMs: DEADLINE_MS })),
  }));

  parity("a deadline passes during a client stream", (log) => ({
    ...waiting(log, either),
    logged: 2,
    call: (client) => client.upload(openEnded(), { timeoutMs: DEADLINE_MS }),
  }));

  parity("a deadline passes during a bidi stream", (log) => ({
    ...waiting(log, either),
    isFullDuplex: true,
    logged: 2,
    call: (client) => drain(client.talk(openEnded(), { timeoutMs: DEADLINE_MS })),
  }));

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

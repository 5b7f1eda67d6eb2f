import { EventEmitter, once } from "node:events";
import { describe } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { aborted, drain, outcomeOf, shown, texts } from "./outcome.ts";
import { parity } from "./parity.ts";
import { openEnded, waiting } from "./waiting.ts";

const reasons: Record<string, unknown> = {
  "no reason": undefined,
  "an Error": new Error("changed my mind"),
  "a ConnectError": new ConnectError("too slow", Code.DeadlineExceeded),
  "a string": "stop",
};

describe("calls end the same everywhere", () => {
  for (const [name, reason] of Object.entries(reasons)) {
    // A request may still arrive where the caller has left before it: what the handler sees is not compared.
    parity(`cancelled before a unary call, with ${name}`, () => ({
      ...waiting(() => {}),
      isCutShort: true,
      call: (client) => client.once({}, { signal: AbortSignal.abort(reason) }),
    }));

    parity(`cancelled before a server stream, with ${name}`, () => ({
      ...waiting(() => {}),
      isCutShort: true,
      call: (client) => drain(client.download({}, { signal: AbortSignal.abort(reason) })),
    }));

    parity(`cancelled during a unary call, with ${name}`, (log) => {
      const { service, events } = waiting(log);
      return {
        service,
        isCutShort: true,
        logged: 1,
        call(client) {
          const controller = new AbortController();
          events.once("waiting", () => controller.abort(reason));
          return client.once({}, { signal: controller.signal });
        },
      };
    });

    parity(`cancelled after the first message of a server stream, with ${name}`, (log) => {
      const { service, events } = waiting(log);
      return {
        service,
        isCutShort: true,
        logged: 2,
        async call(client) {
          const controller = new AbortController();
          const isWaiting = once(events, "waiting");
          const received: unknown[] = [];
          const reading = async () => {
            for await (const message of client.download({}, { signal: controller.signal })) {
              received.push(shown(message));
              void isWaiting.then(() => controller.abort(reason));
            }
          };
          return { end: await outcomeOf(reading()), received };
        },
      };
    });

    parity(`cancelled during a client stream, with ${name}`, (log) => {
      const { service, events } = waiting(log);
      return {
        service,
        isCutShort: true,
        logged: 2,
        call(client) {
          const controller = new AbortController();
          events.once("waiting", () => controller.abort(reason));
          return client.upload(openEnded(), { signal: controller.signal });
        },
      };
    });

    parity(`cancelled during a bidi stream, with ${name}`, (log) => {
      const { service, events } = waiting(log);
      return {
        service,
        isCutShort: true,
        isFullDuplex: true,
        logged: 2,
        async call(client) {
          const controller = new AbortController();
          const isWaiting = once(events, "waiting");
          const received: unknown[] = [];
          const reading = async () => {
            for await (const message of client.talk(openEnded(), { signal: controller.signal })) {
              received.push(shown(message));
              void isWaiting.then(() => controller.abort(reason));
            }
          };
          return { end: await outcomeOf(reading()), received };
        },
      };
    });
  }

  parity("cancelled after the answer, which stands", () => ({
    service: { once: ({ content }) => ({ content }) },
    async call(client) {
      const controller = new AbortController();
      const answer = await client.once({ content: { text: "a" } }, { signal: controller.signal });
      controller.abort();
      return shown(answer);
    },
  }));

  const inputErrors: Record<string, unknown> = {
    "a ConnectError": new ConnectError("no more", Code.DataLoss),
    "an Error": new Error("disk full"),
  };
  for (const [name, error] of Object.entries(inputErrors)) {
    // What the handler reads at the end is not compared: Node's HTTP/2 client ends the body of a stream
    // before it resets it, so that over HTTP/2 it looks complete.
    parity(`a caller's request stream that throws ${name}`, (log) => {
      const events = new EventEmitter();
      return {
        isCutShort: true,
        logged: 1,
        service: {
          async upload(requests, { signal }) {
            const reading = requests[Symbol.asyncIterator]();
            log((await reading.next()).value?.content?.text);
            events.emit("read");
            return aborted(signal);
          },
        },
        call(client) {
          const isRead = once(events, "read");
          async function* broken() {
            yield { content: { text: "first" } };
            await isRead;
            throw error;
          }
          return client.upload(broken());
        },
      };
    });
  }

  parity("a caller stops reading early and then leaves", (log) => ({
    isCutShort: true,
    logged: 2,
    service: {
      async *download(_, { signal }) {
        try {
          for (let index = 0; ; index++) {
            yield { content: { text: String(index), payload: new Uint8Array(65_536) } };
          }
        } finally {
          log(signal.aborted);
          log("finally");
        }
      },
    },
    async call(client) {
      const controller = new AbortController();
      const received: unknown[] = [];
      for await (const { content } of client.download({}, { signal: controller.signal })) {
        received.push(content?.text);
        if (received.length === 3) break;
      }
      controller.abort();
      return received;
    },
  }));

  parity("a caller reads one message and no further", (log) => ({
    isCutShort: true,
    logged: 1,
    service: {
      async *download() {
        try {
          yield { content: { text: "one" } };
        } finally {
          log("finally");
        }
      },
    },
    async call(client) {
      const { value } = await client.download({})[Symbol.asyncIterator]().next();
      return shown(value);
    },
  }));

  parity("a caller asks for several messages at once", () => ({
    service: {
      async *download() {
        yield { content: { text: "one" } };
        yield { content: { text: "two" } };
      },
    },
    async call(client) {
      const messages = client.download({})[Symbol.asyncIterator]();
      const results = await Promise.all([messages.next(), messages.next(), messages.next()]);
      return results.map(({ done, value }) => (done ? "done" : shown(value)));
    },
  }));

  parity("a handler asks for several requests at once", (log) => ({
    logged: 3,
    service: {
      async upload(requests) {
        const reading = requests[Symbol.asyncIterator]();
        const results = await Promise.all([reading.next(), reading.next(), reading.next()]);
        for (const { done, value } of results) log(done ? "done" : shown(value));
        return {};
      },
    },
    call: async (client) => void (await client.upload(texts("a", "b"))),
  }));

  parity("a generator that ends by return", (log) => ({
    logged: 1,
    service: {
      async *download() {
        try {
          yield { content: { text: "one" } };
          return;
        } finally {
          log("finally");
        }
      },
    },
    call: (client) => drain(client.download({})),
  }));
});

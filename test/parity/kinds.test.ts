import { describe } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ContentSchema, Mood, OnceResponseSchema } from "../gen/connectum/script/v1/script_pb.js";
import { drain, shown, texts } from "./outcome.ts";
import { parity } from "./parity.ts";

const full = {
  text: "é 漢字 🚀",
  payload: new Uint8Array([0, 255]),
  number: -9007199254740993n,
  mood: Mood.GOOD,
  figures: { pi: 3.14, none: 0, negative: -1e300 },
};

describe("all kinds of calls give the same everywhere", () => {
  const contents = {
    "every field": full,
    "no field": {},
    "only defaults": { text: "", number: 0n },
  };
  for (const [name, content] of Object.entries(contents)) {
    parity(`unary with ${name}`, (log) => ({
      service: {
        once(request) {
          log(shown(request));
          return { content: request.content };
        },
      },
      call: async (client) => shown(await client.once({ content })),
    }));
  }

  parity("a message object instead of an init shape, both ways", () => ({
    service: { once: ({ content }) => create(OnceResponseSchema, { content }) },
    call: async (client) => shown(await client.once({ content: create(ContentSchema, full) })),
  }));

  parity("a method without side effects", () => ({
    service: { look: ({ content }) => ({ content }) },
    call: async (client) => shown(await client.look({ content: { text: "look" } })),
  }));

  parity("messages of 3 MiB both ways", (log) => ({
    service: {
      once({ content }) {
        log(content?.payload.length);
        return { content };
      },
    },
    async call(client) {
      const payload = new Uint8Array(3 * 1024 * 1024).fill(7);
      const { content } = await client.once({ content: { payload } });
      return [content?.payload.length, content?.payload.every((byte) => byte === 7)];
    },
  }));

  for (const count of [0, 1, 2, 500]) {
    parity(`a server stream of ${count}`, () => ({
      service: {
        async *download() {
          for (let index = 0; index < count; index++) yield { content: { text: String(index) } };
        },
      },
      call: (client) => drain(client.download({})),
    }));

    parity(`a client stream of ${count}`, (log) => ({
      service: {
        async upload(requests) {
          const received: unknown[] = [];
          for await (const request of requests) received.push(shown(request));
          log(received);
          return { content: { number: BigInt(received.length) } };
        },
      },
      call: async (client) =>
        shown(await client.upload(texts(...Array.from({ length: count }, (_, i) => String(i))))),
    }));

    parity(`a bidi stream of ${count}`, () => ({
      isFullDuplex: true,
      service: {
        async *talk(requests) {
          for await (const { content } of requests) yield { content };
        },
      },
      call: (client) =>
        drain(client.talk(texts(...Array.from({ length: count }, (_, i) => String(i))))),
    }));
  }

  parity("a bidi stream that answers one by one", (log) => ({
    isFullDuplex: true,
    service: {
      async *talk(requests) {
        for await (const { content } of requests) {
          log(content?.text);
          yield { content: { text: `re: ${content?.text}` } };
        }
      },
    },
    async call(client) {
      let answer: (text: string) => void = () => {};
      async function* conversation() {
        for (let turn = 0; turn < 3; turn++) {
          const answered = new Promise<string>((resolve) => {
            answer = resolve;
          });
          yield { content: { text: String(turn) } };
          await answered;
        }
      }
      const received: string[] = [];
      for await (const { content } of client.talk(conversation())) {
        received.push(content?.text ?? "");
        answer(content?.text ?? "");
      }
      return received;
    },
  }));

  parity("a bidi stream that answers only at the end", () => ({
    isFullDuplex: true,
    service: {
      async *talk(requests) {
        let count = 0n;
        for await (const _ of requests) count++;
        yield { content: { number: count } };
      },
    },
    call: (client) => drain(client.talk(texts("a", "b", "c"))),
  }));

  parity("a server that ends a bidi stream before its client", () => ({
    isCutShort: true,
    isFullDuplex: true,
    service: {
      async *talk(requests) {
        for await (const { content } of requests) {
          yield { content };
          return;
        }
      },
    },
    async call(client) {
      async function* endless() {
        yield { content: { text: "first" } };
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
      return drain(client.talk(endless()));
    },
  }));

  parity("a client stream answered without reading it", () => ({
    isCutShort: true,
    service: { upload: () => Promise.resolve({ content: { text: "unread" } }) },
    call: async (client) => shown(await client.upload(texts("a", "b"))),
  }));

  parity("a client stream answered after its first message", (log) => ({
    isCutShort: true,
    service: {
      async upload(requests) {
        for await (const { content } of requests) {
          log(content?.text);
          break;
        }
        return { content: { text: "enough" } };
      },
    },
    call: async (client) => shown(await client.upload(texts("a", "b"))),
  }));

  parity("a handler that yields from an array", () => ({
    service: {
      async *download() {
        yield* [{ content: { text: "a" } }, { content: { text: "b" } }];
      },
    },
    call: (client) => drain(client.download({})),
  }));
});

import { describe } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { drain, outcomeOf, texts } from "./outcome.ts";
import { parity } from "./parity.ts";

const codes = Object.values(Code).filter((code) => typeof code === "number");

describe("every code means the same everywhere", () => {
  for (const code of codes) {
    parity(`${Code[code]} of each kind of call`, () => {
      const error = () => new ConnectError(`because ${code}`, code, { "x-code": String(code) });
      return {
        isFullDuplex: true,
        service: {
          once() {
            throw error();
          },
          async *download() {
            yield { content: { text: "one" } };
            throw error();
          },
          async upload(requests) {
            for await (const _ of requests);
            throw error();
          },
          async *talk(requests) {
            for await (const { content } of requests) yield { content };
            throw error();
          },
        },
        call: async (client) => [
          await outcomeOf(client.once({})),
          await drain(client.download({})),
          await outcomeOf(client.upload(texts("a", "b"))),
          await drain(client.talk(texts("a", "b"))),
        ],
      };
    });
  }
});

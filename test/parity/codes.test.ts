import { describe } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { drain, texts } from "./outcome.ts";
import { parity } from "./parity.ts";

const codes = Object.values(Code).filter((code) => typeof code === "number");

describe("every code means the same everywhere", () => {
  for (const code of codes) {
    parity(`${Code[code]} of a unary call`, () => ({
      service: {
        once() {
          throw new ConnectError(`because ${code}`, code, { "x-code": String(code) });
        },
      },
      call: (client) => client.once({}),
    }));

    parity(`${Code[code]} in the middle of a stream`, () => ({
      service: {
        async *download() {
          yield { content: { text: "one" } };
          throw new ConnectError(`because ${code}`, code, { "x-code": String(code) });
        },
      },
      call: (client) => drain(client.download({})),
    }));

    parity(`${Code[code]} after a client's stream`, () => ({
      service: {
        async upload(requests) {
          for await (const _ of requests);
          throw new ConnectError(`because ${code}`, code);
        },
      },
      call: (client) => client.upload(texts("a", "b")),
    }));
  }
});

import { describe } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { DetailSchema } from "../gen/connectum/script/v1/script_pb.js";
import { drain, outcomeOf, recording, texts } from "./outcome.ts";
import { parity } from "./parity.ts";

const detail = (text: string) => ({ desc: DetailSchema, value: { text } });

const thrown: Record<string, () => unknown> = {
  "a plain Error": () => new Error("postgres://user:secret@db"),
  "a TypeError": () => new TypeError("x is not a function"),
  "an Error with a numeric code": () => Object.assign(new Error("duplicate key"), { code: 11000 }),
  "an Error with a code of RPC": () => Object.assign(new Error("not here"), { code: 5 }),
  "an Error with details": () => Object.assign(new Error("no"), { details: [detail("secret")] }),
  "an error named AbortError": () => new DOMException("gone", "AbortError"),
  "a subclass of ConnectError": () => new (class Own extends ConnectError {})("own", Code.NotFound),
  "a string": () => "text",
  "a number": () => 7,
  undefined: () => undefined,
  null: () => null,
  "an object": () => ({ code: 3, message: "like an error" }),
  "no message": () => new ConnectError("", Code.NotFound),
  "a message in many scripts": () => new ConnectError('é ü 漢字 🚀 % %20 "q"', Code.NotFound),
  "a message with line breaks": () => new ConnectError("one\ntwo\r\nthree\ttab", Code.NotFound),
  "a message of 4 KiB": () => new ConnectError("x".repeat(4096), Code.NotFound),
  "a cause": () =>
    new ConnectError("public", Code.Internal, undefined, undefined, new Error("secret")),
  "one detail": () => new ConnectError("d", Code.InvalidArgument, undefined, [detail("one")]),
  "several details": () =>
    new ConnectError("d", Code.InvalidArgument, undefined, [detail("one"), detail("two")]),
  "an empty detail": () => new ConnectError("d", Code.InvalidArgument, undefined, [detail("")]),
  "metadata with repeated and binary values": () =>
    new ConnectError("m", Code.Aborted, [
      ["x-a", "1"],
      ["X-A", "2"],
      ["x-b-bin", "AAEC"],
    ]),
  "metadata that looks like protocol": () =>
    new ConnectError("m", Code.Aborted, {
      "grpc-status": "0",
      "grpc-message": "ok",
      "content-type": "text/html",
      "connect-protocol-version": "9",
      "transfer-encoding": "chunked",
      "x-kept": "1",
    }),
};

describe("errors are the same everywhere", () => {
  for (const [name, create] of Object.entries(thrown)) {
    parity(`a unary call, and a stream after two messages, that throw ${name}`, () => ({
      service: {
        once() {
          throw create();
        },
        async *download() {
          yield { content: { text: "one" } };
          yield { content: { text: "two" } };
          throw create();
        },
      },
      call: async (client) => [await outcomeOf(client.once({})), await drain(client.download({}))],
    }));
  }

  parity("a promise that rejects", () => ({
    service: { once: () => Promise.reject(new ConnectError("later", Code.DataLoss)) },
    call: (client) => client.once({}),
  }));

  parity("a stream that throws before its first message", () => ({
    service: {
      // biome-ignore lint/correctness/useYield: it fails before it comes to that
      async *download() {
        throw new ConnectError("early", Code.FailedPrecondition, { "x-early": "1" });
      },
    },
    call: (client) => drain(client.download({})),
  }));

  parity("a stream handler that throws instead of returning an iterable", () => ({
    service: {
      download() {
        throw new ConnectError("at once", Code.FailedPrecondition);
      },
    },
    call: (client) => drain(client.download({})),
  }));

  parity("a stream handler that returns no iterable", () => ({
    service: { download: () => "no iterable" as never },
    call: (client) => drain(client.download({})),
  }));

  parity("headers and trailers set before a unary error", () => ({
    service: {
      once(_, context) {
        context.responseHeader.set("x-header", "1");
        context.responseTrailer.set("x-trailer", "2");
        throw new ConnectError("no", Code.Aborted, { "x-meta": "3" });
      },
    },
    call: (client) => client.once({}),
  }));

  parity("headers and trailers set before an error in a stream", () => ({
    service: {
      async *download(_, context) {
        context.responseHeader.set("x-header", "1");
        yield { content: { text: "one" } };
        context.responseTrailer.set("x-trailer", "2");
        throw new ConnectError("no", Code.Aborted, { "x-meta": "3" });
      },
    },
    async call(client) {
      const { answer, options } = recording();
      return { stream: await drain(client.download({}, options)), answer };
    },
  }));

  parity("a client stream that is refused unread", () => ({
    isCutShort: true,
    service: {
      upload() {
        throw new ConnectError("unread", Code.PermissionDenied);
      },
    },
    call: (client) => client.upload(texts("a", "b", "c")),
  }));

  parity("a bidi stream that throws after the first request", () => ({
    isCutShort: true,
    isFullDuplex: true,
    service: {
      async *talk(requests) {
        for await (const { content } of requests) {
          yield { content };
          throw new ConnectError("enough", Code.ResourceExhausted);
        }
      },
    },
    call: (client) => drain(client.talk(texts("a"))),
  }));

  parity("a method nobody implements", () => ({
    service: { once: () => ({}) },
    call: (client) => client.nobody({}),
  }));

  parity("streams nobody implements", () => ({
    call: async (client) => [
      await drain(client.download({})),
      await client.upload(texts("a")).catch((error) => error.code),
    ],
  }));
});

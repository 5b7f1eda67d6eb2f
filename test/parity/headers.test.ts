import { describe } from "node:test";
import { decodeBinaryHeader, encodeBinaryHeader } from "@connectrpc/connect";
import { drain, own, recording, texts } from "./outcome.ts";
import { parity } from "./parity.ts";

const bytes = new Uint8Array([0, 1, 127, 128, 255]);

const sent: Record<string, HeadersInit> = {
  "one value": { "x-one": "1" },
  "a repeated name": [
    ["x-many", "1"],
    ["x-many", "2"],
    ["x-many", "3"],
  ],
  "an upper-case name": { "X-UPPER": "Kept As It Is" },
  "a value with inner and outer blanks": { "x-blank": "  a  b  " },
  "an empty value": { "x-empty": "" },
  "a binary value": { "x-data-bin": encodeBinaryHeader(bytes) },
  "a repeated binary value": [
    ["x-data-bin", encodeBinaryHeader(bytes)],
    ["x-data-bin", encodeBinaryHeader(new Uint8Array())],
    ["x-data-bin", encodeBinaryHeader(bytes.slice(0, 1))],
  ],
  punctuation: { "x-text": 'a;b=c, "d" (e) <f> @ [g] {h} / ? : % & \' * + ~ ` |' },
  "a long value": { "x-long": "y".repeat(4_000) },
  "a Headers object": new Headers({ "x-a": "1", "x-b": "2" }),
  "many names": Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x-n${i}`, String(i)])),
};

describe("headers travel the same everywhere", () => {
  for (const [name, headers] of Object.entries(sent)) {
    parity(`${name}: to the server, and back as header and trailer`, (log) => ({
      service: {
        once(_, { requestHeader, responseHeader, responseTrailer }) {
          log(own(requestHeader));
          for (const [key, value] of own(requestHeader)) {
            responseHeader.append(key, value);
            responseTrailer.append(`${key.replace(/(-bin)?$/, "-t$1")}`, value);
          }
          return {};
        },
        async *download(_, { requestHeader, responseHeader, responseTrailer }) {
          log(own(requestHeader));
          for (const [key, value] of own(requestHeader)) responseHeader.append(key, value);
          yield { content: { text: "one" } };
          for (const [key, value] of own(requestHeader)) responseTrailer.append(key, value);
        },
      },
      async call(client) {
        const unary = recording();
        await client.once({}, { headers, ...unary.options });
        const stream = recording();
        const drained = await drain(client.download({}, { headers, ...stream.options }));
        return [unary.answer, drained, stream.answer];
      },
    }));
  }

  parity("values appended one by one", () => ({
    service: {
      once(_, { responseHeader, responseTrailer }) {
        for (const value of ["1", "2"]) {
          responseHeader.append("x-h", value);
          responseTrailer.append("x-t", value);
        }
        responseHeader.append("x-gone", "1");
        responseHeader.delete("X-Gone");
        return {};
      },
    },
    async call(client) {
      const { answer, options } = recording();
      await client.once({}, options);
      return answer;
    },
  }));

  parity("binary values are read alike", (log) => ({
    service: {
      once(_, { requestHeader }) {
        log([...decodeBinaryHeader(requestHeader.get("x-data-bin") ?? "")]);
        return {};
      },
    },
    call: async (client) => {
      await client.once({}, { headers: { "x-data-bin": encodeBinaryHeader(bytes) } });
    },
  }));

  parity("response headers of a client stream and a bidi stream", () => ({
    isFullDuplex: true,
    service: {
      async upload(requests, { responseHeader, responseTrailer }) {
        responseHeader.set("x-h", "1");
        for await (const _ of requests);
        responseTrailer.set("x-t", "2");
        return {};
      },
      async *talk(requests, { responseHeader, responseTrailer }) {
        responseHeader.set("x-h", "3");
        for await (const { content } of requests) yield { content };
        responseTrailer.set("x-t", "4");
      },
    },
    async call(client) {
      const up = recording();
      await client.upload(texts("a"), up.options);
      const talk = recording();
      await drain(client.talk(texts("a", "b"), talk.options));
      return [up.answer, talk.answer];
    },
  }));

  parity("headers of a stream without messages", () => ({
    service: {
      async *download(_, { responseHeader, responseTrailer }) {
        responseHeader.set("x-h", "1");
        responseTrailer.set("x-t", "2");
        yield* [];
      },
    },
    async call(client) {
      const { answer, options } = recording();
      return { stream: await drain(client.download({}, options)), answer };
    },
  }));

  parity("what a handler does to the request headers stays with it", (log) => ({
    service: {
      once(_, { requestHeader }) {
        requestHeader.set("x-sent", "changed");
        requestHeader.append("x-new", "1");
        log(own(requestHeader));
        return {};
      },
    },
    async call(client) {
      const headers = new Headers({ "x-sent": "1" });
      await client.once({}, { headers });
      return own(headers);
    },
  }));

  parity("a header that HTTP cannot carry", () => ({
    isRefusedByClient: true,
    isCutShort: true,
    service: { once: () => ({}) },
    call: (client) =>
      client.once({}, { headers: { "x-bad": "漢" } }).then(
        () => "accepted",
        () => "refused",
      ),
  }));
});

import type { Arena } from "./arena.ts";

const service = "/connectum.load.v1.LoadService";

export interface Target {
  /** Inputs to begin with. */
  readonly seeds: readonly (string | Buffer)[];
  /** Sends an input through its decoder; the result tells apart ways the server behaves. */
  run(arena: Arena, input: Buffer): Promise<string>;
}

function post(path: string, contentType: string, more: Record<string, string> = {}) {
  return { ":method": "POST", ":path": `${service}/${path}`, "content-type": contentType, ...more };
}

/** A header value as HTTP/2 takes it: what it cannot carry would be refused by the client. */
function fieldValue(input: Buffer): string {
  return input
    .toString("latin1")
    .replace(/[\0\r\n]/g, " ")
    .trim();
}

const message = Buffer.from([0, 0, 0, 0, 5, 0x0a, 3, 0x41, 0x64, 0x61]);
const twoMessages = Buffer.concat([message, message]);
const gzipped = Buffer.from("01000000191f8b0800000000000003e3624e4c490400ba6bdbb605000000", "hex");

/** Every decoder of the server, each reached the way its clients reach it. */
export const targets: Readonly<Record<string, Target>> = {
  envelope: {
    seeds: [message, twoMessages, gzipped, Buffer.from([2, 0, 0, 0, 2, 0x7b, 0x7d])],
    async run(arena, input) {
      const gzip = { "grpc-encoding": "gzip", "connect-content-encoding": "gzip" };
      const answers = [
        await arena.request(post("Echo", "application/grpc"), input),
        await arena.request(post("Upload", "application/grpc", gzip), input),
        await arena.request(post("Talk", "application/connect+proto", gzip), input),
      ];
      return answers.join("|");
    },
  },
  text: {
    seeds: [message.toString("base64"), "AAAAAAA=AAAAAAA=", "AAAA"],
    run: (arena, input) => arena.request(post("Echo", "application/grpc-web-text"), input),
  },
  headers: {
    seeds: [
      "application/json\ngzip\ngzip, br\nhttps://app.example.com",
      "application/connect+json; charset=utf-8\nidentity\n*;q=0\nnull",
    ],
    run(arena, input) {
      const [type = "", encoding = "", accept = "", origin = ""] = fieldValue(
        Buffer.from(input.toString("latin1").replaceAll("\n", "\u001f"), "latin1"),
      ).split("\u001f");
      const fields = {
        "content-encoding": encoding,
        "connect-content-encoding": encoding,
        "accept-encoding": accept,
        origin,
        "x-note": accept,
      };
      return arena.request(post("Echo", type, fields), Buffer.from("{}"));
    },
  },
  http1: {
    seeds: [
      `POST ${service}/Echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
      `POST ${service}/Upload HTTP/1.1\r\nHost: a\r\nContent-Type: application/connect+proto\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n5\r\n\0\0\0\0\0\r\n0\r\nx: y\r\n\r\n`,
      `GET ${service}/Echo?encoding=json&message=%7B%7D HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      "OPTIONS * HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
    ],
    run: (arena, input) => arena.raw(input),
  },
  frames: {
    seeds: [
      "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a000000040000000000",
      "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a00000004000000000000000104000000018286448501234567890000080600000000000102030405060708",
      "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a0000060400000000000004000000000000080700000000000000000000000000",
    ].map((hex) => Buffer.from(hex, "hex")),
    run: (arena, input) => arena.raw(input),
  },
  timeouts: {
    seeds: ["1S", "99999999H", "100", "9999999999", "0n"],
    async run(arena, input) {
      const value = fieldValue(input);
      const answers = [
        await arena.request(post("Echo", "application/grpc", { "grpc-timeout": value }), message),
        await arena.request(
          post("Echo", "application/json", { "connect-timeout-ms": value }),
          Buffer.from("{}"),
        ),
      ];
      return answers.join("|");
    },
  },
  query: {
    seeds: [
      "connect=v1&encoding=json&message=%7B%22text%22%3A%22Ada%22%7D",
      "encoding=proto&base64=1&message=CgNBZGE&compression=identity",
      "encoding=json&base64=1&compression=gzip&message=H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA",
    ],
    run(arena, input) {
      const query = fieldValue(input).replaceAll(" ", "+");
      const headers = { ":method": "GET", ":path": `${service}/Echo?${query}` };
      return arena.request(headers, Buffer.alloc(0));
    },
  },
  trailers: {
    seeds: ["x-after: later\nx-more: b", "grpc-status: 0"],
    run(arena, input) {
      const trailers: Record<string, string> = {};
      for (const line of input.toString("latin1").split("\n")) {
        const [name = "", value = ""] = line.split(":");
        const key = name.toLowerCase().replace(/[^a-z0-9-]/g, "") || "x";
        trailers[key] = fieldValue(Buffer.from(value, "latin1"));
      }
      return arena.request(post("Upload", "application/grpc"), message, trailers);
    },
  },
  json: {
    seeds: [
      '{"text":"Ada","payload":"AAEC"}',
      '{"text":null,"later":[{"a":1e5}],"payload":""}',
      '{"text":"\\ud83d\\ude00","payload":"-_-_"}',
    ],
    async run(arena, input) {
      const enveloped = Buffer.concat([Buffer.alloc(5), input]);
      enveloped.writeUInt32BE(input.length, 1);
      const answers = [
        await arena.request(post("Echo", "application/json"), input),
        await arena.request(post("Talk", "application/connect+json"), enveloped),
      ];
      return answers.join("|");
    },
  },
  proto: {
    seeds: [message.subarray(5), Buffer.from("0a0341646112030001021a00", "hex")],
    run: (arena, input) => arena.request(post("Echo", "application/proto"), input),
  },
};

import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Random } from "./random.ts";
import { encodeRequest, type MethodName, type ScriptedMessage } from "./script-messages.ts";
import type { Fields, WireRequest } from "./wire-request.ts";

export type Encoding = "gzip" | "br" | "identity";

/** A request before it is bytes. */
export interface Draft {
  readonly protocol: "connect" | "get" | "grpc" | "grpc-web" | "grpc-web-text";
  readonly version: 1 | 2;
  readonly name: MethodName;
  readonly codec: "proto" | "json";
  readonly messages: readonly ScriptedMessage[];
  readonly encoding: Encoding | undefined;
  readonly accept: string | undefined;
  readonly timeout: string | undefined;
  readonly extras: Fields;
  /** Changes the body before it is framed and, for the text form, written in base64. */
  readonly damage?: (body: Buffer) => Buffer;
  /** Changes the parameters of a GET. */
  readonly damageQuery?: (query: Array<[string, string]>) => void;
}

/** Whether the message is the body, without an envelope. */
export function isBare({ protocol, name }: Draft): boolean {
  const isUnary = name === "Once" || name === "Look" || name === "Nobody";
  return protocol === "get" || (protocol === "connect" && isUnary);
}

export function pathOf(name: string): string {
  return `/connectum.script.v1.ScriptService/${name}`;
}

export function render(random: Random, draft: Draft): WireRequest {
  return draft.protocol === "get" ? renderGet(random, draft) : renderPost(random, draft);
}

function renderPost(random: Random, draft: Draft): WireRequest {
  const { protocol, version, name, codec, messages, encoding, damage, extras } = draft;
  const prefix = protocol !== "connect" ? "grpc-" : isBare(draft) ? "content-" : "connect-content-";
  const accept = protocol !== "connect" ? "grpc-" : isBare(draft) ? "" : "connect-";
  const headers: Fields = [
    ["content-type", contentTypeOf(random, draft)],
    ...optional(`${prefix}encoding`, encoding),
    ...optional(`${accept}accept-encoding`, draft.accept),
    ...optional(protocol === "connect" ? "connect-timeout-ms" : "grpc-timeout", draft.timeout),
    ...extras,
  ];
  const encoded = messages.map((message) => encodeRequest(name, codec, message));
  const body = isBare(draft)
    ? compress(encoded[0] ?? Buffer.alloc(0), encoding)
    : Buffer.concat(encoded.map((bytes) => envelope(random, bytes, encoding)));
  const wire: WireRequest = {
    label: `${protocol} ${name} ${codec} ${encoding ?? ""}`,
    version,
    method: "POST",
    path: pathOf(name),
    headers,
    body: damage ? damage(body) : body,
  };
  return withFraming(random, protocol === "grpc-web-text" ? asText(random, wire) : wire);
}

function renderGet(random: Random, draft: Draft): WireRequest {
  const { version, name, codec, messages, encoding, damage, damageQuery, extras } = draft;
  const [message = {}] = messages;
  const encoded = compress(encodeRequest(name, codec, message), encoding);
  const bytes = damage ? damage(encoded) : encoded;
  const isText = codec === "json" && (encoding ?? "identity") === "identity" && !damage;
  const isBase64 = !isText || random.chance(0.3);
  const query: Array<[string, string]> = [
    ["connect", "v1"],
    ["encoding", codec],
    ["message", isBase64 ? bytes.toString(random.pick(["base64url", "base64"])) : `${bytes}`],
    ...(isBase64 ? ([["base64", "1"]] as Array<[string, string]>) : []),
    ...(encoding ? ([["compression", encoding]] as Array<[string, string]>) : []),
  ];
  damageQuery?.(query);
  const search = query.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  const path = `${pathOf(name)}?${search}`;
  // Node refuses headers over 16 KiB, whoever serves.
  if (path.length > 8_000) return renderGet(random, { ...draft, messages: [{}] });
  return {
    label: `get ${name} ${codec} ${encoding ?? ""}`,
    version,
    method: "GET",
    path,
    headers: [
      ...optional("accept-encoding", draft.accept),
      ...optional("connect-timeout-ms", draft.timeout),
      ...extras,
    ],
    body: Buffer.alloc(0),
  };
}

function contentTypeOf(random: Random, draft: Draft): string {
  const { protocol, codec } = draft;
  if (isBare(draft)) return `application/${codec}`;
  if (protocol === "connect") return `application/connect+${codec}`;
  const base = protocol === "grpc" ? "application/grpc" : "application/grpc-web";
  return codec === "proto" && random.chance(0.4) ? base : `${base}+${codec}`;
}

const fast = { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 16 };

function compress(bytes: Buffer, encoding: Encoding | undefined): Buffer {
  if (encoding === "gzip") return gzipSync(bytes);
  if (encoding === "br") return brotliCompressSync(bytes, { params: fast });
  return bytes;
}

/** With an encoding, any message may still go uncompressed. */
function envelope(random: Random, bytes: Buffer, encoding: Encoding | undefined): Buffer {
  const isCompressed = encoding !== undefined && encoding !== "identity" && random.chance(0.7);
  const data = isCompressed ? compress(bytes, encoding) : bytes;
  const head = Buffer.alloc(5);
  head[0] = isCompressed ? 1 : 0;
  head.writeUInt32BE(data.byteLength, 1);
  return Buffer.concat([head, data]);
}

function withFraming(random: Random, wire: WireRequest): WireRequest {
  const { body, version, headers } = wire;
  const cuts = random.chance(0.3)
    ? random.list(1, 4, () => random.integer(0, body.byteLength))
    : undefined;
  const isChunked = version === 1 && random.chance(0.4);
  if (isChunked) return { ...wire, headers: [...headers, ["transfer-encoding", "chunked"]], cuts };
  if (version === 2 && random.chance(0.7)) return { ...wire, cuts };
  const length = ["content-length", String(body.byteLength)] as const;
  return { ...wire, headers: [...headers, length], cuts };
}

/** The text form for us; the oracle does not know it and gets the binary one. */
function asText(random: Random, wire: WireRequest): WireRequest {
  const { headers, body } = wire;
  const cut = random.chance(0.5) ? body.byteLength : random.integer(0, body.byteLength);
  const parts = [body.subarray(0, cut), body.subarray(cut)];
  return {
    ...wire,
    headers: headers.map(([name, value]) =>
      name === "content-type" ? [name, value.replace("grpc-web", "grpc-web-text")] : [name, value],
    ),
    body: Buffer.from(parts.map((part) => part.toString("base64")).join("")),
    forOracle: { headers, body },
  };
}

function optional(name: string, value: string | undefined): Fields {
  return value === undefined ? [] : [[name, value]];
}

import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { Code } from "@connectrpc/connect";
import type { WireAnswer } from "./peer.ts";

/** An answer taken apart: what stands where, in words, so that two can be laid side by side. */
export type Facts = Readonly<Record<string, string>>;

/** Protocol frames and JSON are decoded, compression undone; nothing is left out. */
export function readAnswer({ status, headers, body, trailers, failure }: WireAnswer): Facts {
  const facts: Record<string, string> = { status: String(status) };
  if (failure) facts.failure = failure;
  const isTrailersOnly = headers.some((name) => name.toLowerCase() === "grpc-status");
  if (isTrailersOnly) facts["trailers only"] = "yes";
  const [first, last] = isTrailersOnly ? splitTrailersOnly(headers) : [headers, trailers];
  const head = addFields(facts, "header", first);
  const contentType = head["content-type"] ?? "";
  if (/^application\/(grpc|connect)/.test(contentType)) {
    const isText = contentType.startsWith("application/grpc-web-text");
    const encoding = head["grpc-encoding"] ?? head["connect-content-encoding"];
    addEnvelopes(facts, isText ? fromBase64(body) : body, encoding);
  } else {
    addUnary(facts, body, head);
  }
  const tail = addFields(facts, "trailer", last);
  if (tail["grpc-status"] !== undefined) addStatus(facts, tail);
  return facts;
}

/** The one block of a Trailers-Only answer: what is no header of HTTP counts as a trailer. */
function splitTrailersOnly(raw: readonly string[]): [header: string[], trailer: string[]] {
  const blocks: [string[], string[]] = [[], []];
  for (let index = 0; index < raw.length; index += 2) {
    const isHeader = /^(content-type|date)$/i.test(raw[index] as string);
    blocks[isHeader ? 0 : 1].push(...raw.slice(index, index + 2));
  }
  return blocks;
}

function addFields(
  facts: Record<string, string>,
  where: string,
  raw: readonly string[],
): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    const value = raw[index + 1] as string;
    fields[name] = name in fields ? `${fields[name]}, ${value}` : value;
  }
  for (const [name, value] of Object.entries(fields)) facts[`${where} ${name}`] = value;
  return fields;
}

function addUnary(
  facts: Record<string, string>,
  body: Buffer,
  head: Readonly<Record<string, string>>,
): void {
  if (body.byteLength === 0) return;
  const plain = head["content-encoding"] ? inflate(body, head["content-encoding"]) : body;
  if (facts.status === "200") facts.message = plain.toString("latin1");
  else addError(facts, "", plain);
}

/** https://connectrpc.com/docs/protocol#error-end-stream */
function addError(facts: Record<string, string>, where: string, body: Buffer): void {
  const { code, message, details, ...rest } = JSON.parse(body.toString());
  facts[`${where}error code`] = String(code);
  facts[`${where}error text`] = String(message);
  if (details) facts[`${where}error details`] = stableJson(details);
  for (const [name, value] of Object.entries(rest)) {
    facts[`${where}error ${name}`] = JSON.stringify(value);
  }
}

/** The order of keys says nothing. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_, item) =>
    item !== null && typeof item === "object" && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

function addEnvelopes(facts: Record<string, string>, body: Buffer, encoding = "identity"): void {
  let offset = 0;
  for (let index = 0; offset < body.byteLength; index++) {
    const flags = body[offset] ?? 0;
    const length = body.byteLength - offset < 5 ? Infinity : body.readUInt32BE(offset + 1);
    if (length > body.byteLength - offset - 5) {
      facts["rest of the body"] = body.subarray(offset).toString("latin1");
      return;
    }
    const data = body.subarray(offset + 5, offset + 5 + length);
    offset += 5 + length;
    const isCompressed = (flags & 1) !== 0;
    const plain = isCompressed ? inflate(data, encoding) : data;
    if ((flags & 0x80) !== 0) addTrailerFrame(facts, plain);
    else if ((flags & 2) !== 0) addEndStream(facts, plain);
    else facts[`message ${index}`] = plain.toString("latin1");
    if (isCompressed)
      facts[(flags & 0x82) !== 0 ? "end compressed" : `message ${index} compressed`] = "yes";
    if ((flags & ~0x83) !== 0) facts[`message ${index} flags`] = String(flags);
  }
}

function addEndStream(facts: Record<string, string>, body: Buffer): void {
  const { error, metadata = {}, ...rest } = JSON.parse(body.toString());
  facts.end = JSON.stringify(rest);
  if (error) addError(facts, "", Buffer.from(JSON.stringify(error)));
  for (const [name, values] of Object.entries(metadata)) {
    facts[`end ${name}`] = (values as string[]).join(", ").trimEnd();
  }
}

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md */
function addTrailerFrame(facts: Record<string, string>, body: Buffer): void {
  const lines = body.toString("latin1").split("\r\n");
  facts.end = lines.at(-1) ?? "";
  const raw = lines.slice(0, -1).flatMap((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const tail = addFields(facts, "end", raw);
  addStatus(facts, tail);
}

function addStatus(facts: Record<string, string>, tail: Readonly<Record<string, string>>): void {
  const status = tail["grpc-status"] ?? "missing";
  if (status !== "0") facts["error code"] = codeName(Number(status));
  const text = tail["grpc-message"];
  if (text !== undefined) facts["error text"] = decodeURIComponent(text);
  const details = tail["grpc-status-details-bin"];
  if (details !== undefined) {
    facts["error details"] = Buffer.from(details, "base64").toString("latin1");
  }
}

/** As Connect writes it. */
function codeName(code: number): string {
  return (Code[code] ?? `${code}`).replace(/(?<!^)[A-Z]/g, "_$&").toLowerCase();
}

function inflate(data: Buffer, encoding: string): Buffer {
  if (encoding === "gzip") return gunzipSync(data);
  if (encoding === "br") return brotliDecompressSync(data);
  throw new Error(`an answer in ${encoding}`);
}

/** Padding may stand wherever the sender flushed. */
function fromBase64(body: Buffer): Buffer {
  const groups = body.toString("latin1").match(/.{1,4}/gs) ?? [];
  return Buffer.concat(groups.map((group) => Buffer.from(group, "base64")));
}

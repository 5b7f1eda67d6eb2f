import type { Difference } from "./compare.ts";
import type { Facts } from "./read-answer.ts";
import { headerOf, type WireRequest } from "./wire-request.ts";

interface Sides {
  readonly request: WireRequest;
  readonly ours: Facts;
  readonly theirs: Facts;
}

/** A difference that is meant to be, and why. */
export interface IntendedDifference {
  readonly reason: string;
  /** Which facts it covers. */
  readonly facts: RegExp;
  /** When it covers them; without it always. */
  readonly when?: (difference: Difference, sides: Sides) => boolean;
}

const anyFact = /./;
const failureFacts = /^(status|error code|error text|(end|trailer) grpc-(status|message))$/;

export const intended: readonly IntendedDifference[] = [
  {
    reason: "the clock moves on between two answers",
    facts: /^header date$/,
    when: ({ ours, theirs }) => ours !== undefined && theirs !== undefined,
  },
  {
    reason: "an idle HTTP/1.1 connection stays open longer than a load balancer keeps it",
    facts: /^header keep-alive$/,
    when: ({ ours }) => ours === "timeout=75",
  },
  {
    reason: "an answer to a request whose body is unread closes its HTTP/1.1 connection",
    facts: /^header (connection|keep-alive)$/,
    when: (_, { ours }) => ours["header connection"] === "close",
  },
  {
    reason: "HTTP/1.1 answers that are complete announce their length; HTTP/2 frames it by itself",
    facts: /^header (content-length|transfer-encoding)$/,
  },
  {
    reason: "an answer to the text form is in the text form, which connect-node does not know",
    facts: /^header content-type$/,
    when: ({ ours, theirs }) => ours?.replace("-text", "") === theirs,
  },
  {
    reason: "405 names the methods allowed (RFC 9110, 15.5.6), 415 the types accepted",
    facts: /^header (allow|accept-post)$/,
    when: ({ theirs }) => theirs === undefined,
  },
  {
    reason: "an answer names an encoding only if a message can be compressed with it",
    facts: /^header (grpc-encoding|connect-content-encoding)$/,
    when: ({ ours }, sides) => ours === undefined && !hasCompressedMessage(sides.theirs),
  },
  {
    reason: "a value that ends in a space is trimmed, or HTTP/2 clients drop the whole field",
    facts: /^(header|trailer) x-/,
    when: ({ ours, theirs }) => theirs === undefined && ours?.endsWith(",") === true,
  },
  {
    reason: "a gRPC error without headers is one frame (Trailers-Only): nothing can come between",
    facts: /^trailers only$/,
    when: ({ theirs }, { ours }) => theirs === undefined && ours["error code"] !== undefined,
  },
  {
    reason: "an error goes uncompressed, so that whoever looks on can read it",
    facts: /^header content-encoding$/,
    when: ({ ours }, sides) => ours === undefined && sides.ours["error code"] !== undefined,
  },
  {
    reason: "the end of a stream is small and goes uncompressed",
    facts: /^end compressed$/,
    when: ({ ours }) => ours === undefined,
  },
  {
    reason:
      "the encodings accepted instead of an unknown one stand in the header, which comes first",
    facts: /^(header|end|trailer) (grpc-|connect-)?accept-encoding$/,
    when: (_, { ours, theirs }) =>
      [ours, theirs].every((facts) => facts["error code"] === "unimplemented"),
  },
  {
    reason: "parameters do not change a media type (RFC 9110, 8.3.1); connect-node knows only some",
    facts: anyFact,
    when: (_, { request, theirs }) =>
      theirs.status === "415" && /^[^;]*;/.test(headerOf(request.headers, "content-type") ?? ""),
  },
  {
    reason: "a GET has no body, so a content type says nothing about it",
    facts: anyFact,
    when: (_, { request, theirs }) =>
      request.method === "GET" &&
      theirs.status === "415" &&
      headerOf(request.headers, "content-type") !== undefined,
  },
  {
    reason:
      "a method that a known service does not have is unimplemented, not a page that is missing",
    facts: anyFact,
    when: (_, { ours, theirs }) =>
      theirs.status === "404" && / is no method of this service$/.test(ours["error text"] ?? ""),
  },
  {
    reason: "an empty encoding header names no encoding",
    facts: anyFact,
    when: (_, { request: { headers, path }, theirs }) =>
      theirs["error code"] === "unimplemented" &&
      (headers.some(([name, value]) => name.endsWith("-encoding") && value === "") ||
        path.includes("compression=&") ||
        path.endsWith("compression=")),
  },
  {
    reason: "a deadline of zero has passed before the call begins",
    facts: anyFact,
    when: (_, { request: { headers }, ours }) =>
      ours["error code"] === "deadline_exceeded" &&
      /^0[mn]?$/.test(
        headerOf(headers, "connect-timeout-ms") ?? headerOf(headers, "grpc-timeout") ?? "",
      ),
  },
  {
    reason: "what follows the one message of a call is refused before it is read",
    facts: failureFacts,
    when: (_, { request: { label }, ours, theirs }) =>
      theirs["error code"] !== undefined &&
      (ours["error text"] === "more than one request message, this method takes one" ||
        / larger than allowed /.test(label)),
  },
  {
    reason: "a request has no message that ends it; connect-node ignores one and all that follows",
    facts: anyFact,
    when: (_, { request: { label }, ours }) =>
      ours["error text"] === "a request stream has no end message" ||
      (/ (a trailer|an end) message /.test(label) &&
        ours["error text"] === "more than one request message, this method takes one"),
  },
  {
    reason: "flags that no protocol defines are the fault of the client; connect-node ignores some",
    facts: anyFact,
    when: (_, { ours }) => /^message with unknown flags/.test(ours["error text"] ?? ""),
  },
  {
    reason: "JSON that is not UTF-8 is refused, not repaired",
    facts: anyFact,
    when: (_, { ours }) => /not valid for encoding utf-8$/.test(ours["error text"] ?? ""),
  },
  {
    reason: "a message that is cut off is not one that is missing, nor the end of the stream",
    facts: anyFact,
    when: (_, { ours }) => /^the request ended inside a message/.test(ours["error text"] ?? ""),
  },
  {
    reason: "bytes that are no such message are the fault of the client",
    facts: failureFacts,
    when: (_, { ours, theirs }) =>
      ours["error code"] === "invalid_argument" &&
      (theirs["error code"] === "internal" || theirs["error code"] === "unknown") &&
      /^(request|message) is not (a )?valid/.test(ours["error text"] ?? ""),
  },
  {
    reason: "answers to the messages before a wrong one are sent; connect-node drops them",
    facts: /^(message|header|trailer|end) /,
    when: ({ theirs }, { request: { label }, ours, ...sides }) =>
      / Talk /.test(label) &&
      theirs === undefined &&
      ours["error code"] !== undefined &&
      sides.theirs["error code"] !== undefined,
  },
  {
    reason: "the messages of a stream are read one by one, so the first wrong one decides",
    facts: failureFacts,
    when: (_, { request: { label }, ours, theirs }) =>
      / (Download|Upload|Talk) .*wrong (body|query)/.test(label) &&
      ours["error code"] !== undefined &&
      theirs["error code"] !== undefined,
  },
  {
    reason: "errors that the servers find themselves are worded differently",
    facts: /^(error text|(end|trailer) grpc-message)$/,
    when: (_, { ours, theirs }) =>
      ours["error code"] === theirs["error code"] &&
      ![ours, theirs].some((facts) => facts["error text"]?.startsWith("scripted")),
  },
  {
    reason: "grpc-message encodes what the gRPC protocol asks to encode, not all that a URL needs",
    facts: /^(end|trailer) grpc-message$/,
    when: ({ ours = "" }, sides) =>
      sides.ours["error text"] === sides.theirs["error text"] &&
      /^(?! )[ -~]*(?<! )$/.test(ours) &&
      decodeURIComponent(ours) === sides.ours["error text"],
  },
];

function hasCompressedMessage(facts: Facts): boolean {
  return Object.keys(facts).some((fact) => /^message \d+ compressed$/.test(fact));
}

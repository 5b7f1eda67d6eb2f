import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { EchoRequestSchema } from "../../gen/connectum/load/v1/load_pb.js";
import { type Answer, type HttpVersion, httpVersions, type Request, send } from "./request.ts";
import type { Site } from "./sites.ts";

export const service = "/connectum.load.v1.LoadService";

/** How a unary call looks on the wire in one protocol, and how its status is read. */
export interface Wire {
  readonly name: string;
  readonly version: HttpVersion;
  readonly contentType: string;
  readonly isEnveloped: boolean;
  readonly encodingHeader: string;
  readonly acceptHeader: string;
  readonly timeoutHeader: string;
  /** Status as its gRPC number; 0 is ok. */
  status(answer: Answer): number;
}

const codes: Record<string, number> = {
  canceled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  resource_exhausted: 8,
  unimplemented: 12,
  internal: 13,
};

const connect = {
  isEnveloped: false,
  encodingHeader: "content-encoding",
  acceptHeader: "accept-encoding",
  timeoutHeader: "connect-timeout-ms",
  status: ({ status, body }: Answer) =>
    status === 200 ? 0 : (codes[JSON.parse(body.toString() || "{}").code] ?? -1),
};

const grpc = {
  isEnveloped: true,
  encodingHeader: "grpc-encoding",
  acceptHeader: "grpc-accept-encoding",
  timeoutHeader: "grpc-timeout",
};

function trailerOf({ headers, trailers, body }: Answer): number {
  const text = headers["grpc-status"] ?? trailers["grpc-status"];
  return Number(text ?? /grpc-status: (\d+)/.exec(body.toString("latin1"))?.[1] ?? -1);
}

/** Every protocol on every HTTP version it runs on. */
export const wires: readonly Wire[] = [
  ...httpVersions.flatMap((version) => [
    { ...connect, name: `Connect proto ${version}`, version, contentType: "application/proto" },
    { ...connect, name: `Connect JSON ${version}`, version, contentType: "application/json" },
    {
      ...grpc,
      name: `gRPC-Web ${version}`,
      version,
      contentType: "application/grpc-web+proto",
      status: trailerOf,
    },
  ]),
  {
    ...grpc,
    name: "gRPC HTTP/2",
    version: "HTTP/2",
    contentType: "application/grpc+proto",
    status: trailerOf,
  },
];

/** A unary request as this wire carries it. */
export function encode(wire: Wire, text: string, payload = new Uint8Array(0)): Buffer {
  const message = create(EchoRequestSchema, { text, payload });
  const bytes = wire.contentType.endsWith("json")
    ? Buffer.from(toJsonString(EchoRequestSchema, message))
    : toBinary(EchoRequestSchema, message);
  return wire.isEnveloped ? Buffer.from(encodeEnvelope(0, bytes)) : Buffer.from(bytes);
}

/** Calls Echo with this body and these headers beside the content type. */
export function echo(site: Site, wire: Wire, request: Partial<Request> = {}): Promise<Answer> {
  return send(site, wire.version, {
    path: `${service}/Echo`,
    body: encode(wire, "Ada"),
    ...request,
    headers: { "content-type": wire.contentType, ...request.headers },
  });
}

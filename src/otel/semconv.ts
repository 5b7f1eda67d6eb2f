import { Code } from "@connectrpc/connect";

/**
 * Which names spans and metrics carry: `connectum` is this package's own set, `stable` that of the
 * OpenTelemetry RPC conventions, `dup` both, with the stable value where one key has two.
 */
export type Semconv = "connectum" | "stable" | "dup";

export const semconvs: readonly Semconv[] = ["connectum", "stable", "dup"];

export const attributeNames = {
  system: "rpc.system",
  service: "rpc.service",
  method: "rpc.method",
  connectStatusCode: "rpc.connect_rpc.status_code",
  transport: "connectum.transport",
  systemName: "rpc.system.name",
  statusCode: "rpc.status_code",
  errorType: "error.type",
  serverAddress: "server.address",
  serverPort: "server.port",
  peerAddress: "network.peer.address",
  peerPort: "network.peer.port",
  messageId: "rpc.message.id",
  messageSize: "rpc.message.uncompressed_size",
  exceptionType: "exception.type",
  exceptionMessage: "exception.message",
  exceptionStacktrace: "exception.stacktrace",
  requestHeader: (name: string) => `rpc.request.header.${name}`,
  responseHeader: (name: string) => `rpc.response.header.${name}`,
} as const;

export const metricNames = {
  duration: (side: Side) => `rpc.${side}.call.duration`,
  requestSize: (side: Side) => `rpc.${side}.request.size`,
  responseSize: (side: Side) => `rpc.${side}.response.size`,
  errors: (side: Side) => `rpc.${side}.errors`,
  activeRequests: "rpc.server.active_requests",
} as const;

export type Side = "server" | "client";

/** What `rpc.system.name` may be here. gRPC-Web counts as gRPC, and so do calls in process. */
export type SystemName = "grpc" | "connectrpc";

/** The Connect name of each code, for example `not_found`. */
const connectNames = new Map(
  Object.entries(Code)
    .filter((entry): entry is [string, Code] => typeof entry[1] === "number")
    .map(([name, code]) => [code, name.replace(/(?<!^)[A-Z]/g, "_$&").toLowerCase()]),
);

export function connectCodeName(code: Code): string {
  return connectNames.get(code) ?? `code_${code}`;
}

/** The gRPC name of each code, for example `NOT_FOUND`; gRPC spells one of them differently. */
export function grpcCodeName(code: Code): string {
  return code === Code.Canceled ? "CANCELLED" : connectCodeName(code).toUpperCase();
}

const serverFaults: ReadonlySet<Code> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

/** Whether a span of this side has failed: a server does not fail by what its client got wrong. */
export function isFault(side: Side, code: Code): boolean {
  return side === "client" || serverFaults.has(code);
}

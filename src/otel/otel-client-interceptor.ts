import type { Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryResponse,
} from "@connectrpc/connect";
import { context, SpanKind, type TextMapSetter, trace } from "@opentelemetry/api";
import { ConnectumError, transportKey } from "../core/index.ts";
import { type AnyFn, type AnyRequest, checkInteger, show } from "../core/internal.ts";
import type { Target } from "./call-attributes.ts";
import { CallRecord } from "./call-record.ts";
import { followMessages } from "./follow-messages.ts";
import { type OtelCallOptions, resolveOtelOptions } from "./otel-options.ts";
import type { SystemName } from "./semconv.ts";
import { Telemetry } from "./telemetry.ts";

export interface OtelClientInterceptorOptions extends OtelCallOptions {
  /** Host of the called service. Default: that of the request's URL, in stable conventions only. */
  readonly serverAddress?: string;
  /** Port of the called service; only with `serverAddress`. */
  readonly serverPort?: number;
}

/**
 * A span and measurements for each call of a client, and trace headers on its way out. Works on any
 * transport: `outgoingInterceptors` of a server, `createLocalTransport`, connect-node, connect-web.
 */
export function createOtelClientInterceptor(
  options: OtelClientInterceptorOptions = {},
): Interceptor {
  const own = ["serverAddress", "serverPort"];
  const resolved = resolveOtelOptions("createOtelClientInterceptor()", options, own);
  const targets = new Targets(configuredTarget(options), resolved.semconv !== "connectum");
  const telemetry = new Telemetry("client", resolved);
  return (next) => (request) => {
    const record = begin(telemetry, targets, request);
    return record ? run(record, next, request) : next(request);
  };
}

function configuredTarget(options: OtelClientInterceptorOptions): Target | undefined {
  const { serverAddress, serverPort } = options;
  if (serverPort !== undefined) checkInteger("serverPort", serverPort, 1, 65_535);
  if (serverAddress === undefined && serverPort !== undefined) {
    throw new ConnectumError("INVALID_OPTION", "serverPort belongs to serverAddress; give both");
  }
  if (serverAddress === undefined) return undefined;
  if (typeof serverAddress !== "string" || serverAddress === "") {
    throw new ConnectumError(
      "INVALID_OPTION",
      `serverAddress must be a host name or an IP address, got ${show(serverAddress)}`,
    );
  }
  return { address: serverAddress, port: serverPort };
}

/** Where calls go, by their URL, each looked at once. */
class Targets {
  readonly #configured: Target | undefined;
  readonly #isWanted: boolean;
  readonly #byUrl = new Map<string, Target | undefined>();

  constructor(configured: Target | undefined, isWanted: boolean) {
    this.#configured = configured;
    this.#isWanted = isWanted;
  }

  of(request: AnyRequest, transport: "http" | "in-process"): Target | undefined {
    if (transport === "in-process") return undefined;
    if (this.#configured || !this.#isWanted) return this.#configured;
    const { url } = request;
    if (this.#byUrl.has(url)) return this.#byUrl.get(url);
    const target = targetOf(url);
    if (this.#byUrl.size < MAX_URLS) this.#byUrl.set(url, target);
    return target;
  }
}

/** More than any client has methods; a URL of its own for each call must not fill the memory. */
const MAX_URLS = 10_000;

function targetOf(url: string): Target | undefined {
  try {
    const { hostname, port, protocol } = new URL(url);
    if (hostname === "") return undefined;
    const address = hostname.replace(/^\[(.*)\]$/, "$1");
    return { address, port: Number(port) || (protocol === "https:" ? 443 : 80) };
  } catch {
    return undefined;
  }
}

/** What the transport has put into the headers; one that puts them later is taken for gRPC. */
function systemNameOf({ header }: AnyRequest, transport: "http" | "in-process"): SystemName {
  if (transport === "in-process") return "grpc";
  const type = header.get("content-type");
  if (type?.startsWith("application/grpc")) return "grpc";
  return type !== null || header.has("connect-protocol-version") ? "connectrpc" : "grpc";
}

function begin(
  telemetry: Telemetry,
  targets: Targets,
  request: AnyRequest,
): CallRecord | undefined {
  const { tracer, instruments } = telemetry;
  if (!tracer && !instruments) return undefined;
  const { method } = request;
  const transport = request.contextValues.get(transportKey);
  const attributes = telemetry.attributesOf({
    method,
    transport,
    systemName: systemNameOf(request, transport),
    target: targets.of(request, transport),
  });
  if (!attributes) return undefined;
  const startMs = telemetry.now();
  if (!tracer)
    return new CallRecord(telemetry, method, attributes, instruments, startMs, undefined);
  const span = tracer.startSpan(`${method.parent.typeName}/${method.name}`, {
    kind: SpanKind.CLIENT,
    attributes: attributes.span,
    startTime: telemetry.timeOf(startMs),
  });
  const own = trace.setSpan(context.active(), span);
  telemetry.propagator.inject(own, request.header, headerSetter);
  const record = new CallRecord(telemetry, method, attributes, instruments, startMs, own);
  record.onRequestHeader(request.header);
  return record;
}

const headerSetter: TextMapSetter<Headers> = {
  set: (header, name, value) => header.set(name, value),
};

async function run(record: CallRecord, next: AnyFn, request: AnyRequest) {
  const fail = (thrown: unknown) => {
    record.onThrown(thrown);
    record.onEnd(ConnectError.from(thrown));
  };
  const within = (followed: AnyRequest) =>
    record.context ? context.with(record.context, next, undefined, followed) : next(followed);
  try {
    if (!request.stream) {
      record.onSent(request.message);
      const response = (await within(request)) as UnaryResponse;
      record.onResponseHeader(response.header);
      record.onReceived(response.message);
      record.onEnd(undefined);
      return response;
    }
    const onMessage = (message: Message) => record.onSent(message);
    const message = followMessages<Message>(request.message, { onMessage });
    const response = (await within({ ...request, message } as StreamRequest)) as StreamResponse;
    record.onResponseHeader(response.header);
    return followResponse(record, request.signal, response, fail);
  } catch (thrown) {
    fail(thrown);
    throw thrown;
  }
}

/** A caller may also leave without ever reading: then its signal is the end of the call. */
function followResponse(
  record: CallRecord,
  signal: AbortSignal,
  response: StreamResponse,
  fail: (thrown: unknown) => void,
): StreamResponse {
  const onAbort = () => {
    if (!record.isEnded) record.onEnd(ConnectError.from(signal.reason, Code.Canceled));
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  const end = () => {
    signal.removeEventListener("abort", onAbort);
    record.onEnd(undefined);
  };
  const message = followMessages<Message>(response.message, {
    onMessage: (item) => record.onReceived(item),
    onDone: end,
    onReturn: end,
    onThrown(thrown) {
      signal.removeEventListener("abort", onAbort);
      fail(thrown);
    },
  });
  return { ...response, message } as StreamResponse;
}

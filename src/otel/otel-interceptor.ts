import type { DescMethod, Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  type Interceptor,
  type StreamResponse,
} from "@connectrpc/connect";
import { type Attributes, type Context, context, SpanKind, trace } from "@opentelemetry/api";
import { ConnectumError, type Peer, peerKey, transportKey } from "../core/index.ts";
import {
  type AnyFn,
  type AnyRequest,
  type AnyResponse,
  type Call,
  callOfRequest,
  callSpanKey,
  observeCalls,
  show,
} from "../core/internal.ts";
import { filterAttributes } from "./call-attributes.ts";
import { CallRecord } from "./call-record.ts";
import { followMessages } from "./follow-messages.ts";
import { type OtelCallOptions, resolveOtelOptions } from "./otel-options.ts";
import { attributeNames as names } from "./semconv.ts";
import { type HeaderCarrier, serverParent } from "./server-parent.ts";
import { Telemetry } from "./telemetry.ts";

export interface OtelInterceptorOptions extends OtelCallOptions {
  /**
   * Whether the trace of a remote caller goes on here. Default false: a server span begins a new
   * trace with a link to the caller's, so that no stranger decides what is sampled. A caller in this
   * process is the parent either way.
   */
  readonly trustRemote?: boolean;
}

/**
 * A span and measurements for each call of a server, from its headers to its real end, calls that
 * never reach the handler included. Goes where traces shall begin: inside the error handler, outside
 * of auth. Registers and exports nothing; without an SDK it costs next to nothing.
 *
 * @example
 * await initProvider({ serviceName: "greeter" });
 * createServer({ services, interceptors: [createOtelInterceptor()] });
 */
export function createOtelInterceptor(options: OtelInterceptorOptions = {}): Interceptor {
  const { trustRemote = false } = options;
  if (typeof trustRemote !== "boolean") {
    throw new ConnectumError(
      "INVALID_OPTION",
      `trustRemote must be true or false, got ${show(trustRemote)}`,
    );
  }
  const resolved = resolveOtelOptions("createOtelInterceptor()", options, ["trustRemote"]);
  const telemetry = new Telemetry("server", resolved);
  const interceptor: Interceptor = (next) => (request) => {
    const followed = recordOf(callOfRequest(request), telemetry);
    if (followed) return followed.context ? runWithin(followed, next, request) : next(request);
    const record = begin(telemetry, unfollowedCall(request), trustRemote);
    return record ? runAlone(record, next, request) : next(request);
  };
  return observeCalls(interceptor, (call) => begin(telemetry, call, trustRemote));
}

/** What is read of a call; core's `Call` has it as it is. */
interface StartingCall {
  readonly method: DescMethod;
  readonly protocolName: string;
  readonly source: {
    readonly transport: "http" | "in-process";
    readonly headers: HeaderCarrier;
    readonly peer: Peer;
  };
  readonly requestHeader: Headers;
  readonly values: ContextValues;
}

function recordOf(call: Call | undefined, telemetry: Telemetry): CallRecord | undefined {
  for (const observer of call?.observers ?? []) {
    if (observer instanceof CallRecord && observer.telemetry === telemetry) return observer;
  }
  return undefined;
}

/** For a server that shows nothing but the interceptor, such as an adapter of connect-node. */
function unfollowedCall(request: AnyRequest): StartingCall {
  const { method, header, contextValues } = request;
  const transport = contextValues.get(transportKey);
  const type = header.get("content-type") ?? "";
  const isGrpc = transport === "in-process" || type.startsWith("application/grpc");
  return {
    method,
    protocolName: isGrpc ? "grpc" : "connect",
    source: { transport, headers: header, peer: contextValues.get(peerKey) },
    requestHeader: header,
    values: contextValues,
  };
}

function begin(
  telemetry: Telemetry,
  call: StartingCall,
  trustRemote: boolean,
): CallRecord | undefined {
  const { tracer, instruments } = telemetry;
  if (!tracer && !instruments) return undefined;
  const { method, source, protocolName } = call;
  const { transport } = source;
  const systemName = protocolName === "connect" ? "connectrpc" : "grpc";
  const attributes = telemetry.attributesOf({ method, transport, systemName, target: undefined });
  if (!attributes) return undefined;
  const startMs = telemetry.now();
  let own: Context | undefined;
  if (tracer) {
    const { propagator } = telemetry;
    const parent = serverParent(propagator, transport, source.headers, trustRemote);
    const span = tracer.startSpan(
      `${method.parent.typeName}/${method.name}`,
      {
        kind: SpanKind.SERVER,
        attributes: attributes.span,
        links: parent.links,
        startTime: telemetry.timeOf(startMs),
      },
      parent.context,
    );
    if (span.isRecording()) span.setAttributes(placesOf(telemetry, call));
    own = trace.setSpan(parent.context, span);
    call.values.set(callSpanKey, span.spanContext());
  }
  const record = new CallRecord(telemetry, method, attributes, instruments, startMs, own);
  const { requestHeaders } = telemetry.options;
  if (record.isRecording && requestHeaders.length > 0) record.onRequestHeader(call.requestHeader);
  return record;
}

/** Which name the client called, and from where. Too many values for a metric. */
function placesOf(telemetry: Telemetry, { source }: StartingCall): Attributes {
  const { transport, headers, peer } = source;
  if (telemetry.options.semconv === "connectum" || transport === "in-process") return {};
  const attributes: Attributes = {};
  const authority =
    headers instanceof Headers ? headers.get("host") : (headers[":authority"] ?? headers.host);
  const [, address, port] =
    /^(?:\[(?=.*\]))?(.*?)\]?(?::(\d+))?$/.exec(String(authority ?? "")) ?? [];
  if (address) attributes[names.serverAddress] = address;
  if (port) attributes[names.serverPort] = Number(port);
  if (peer.address) attributes[names.peerAddress] = peer.address;
  if (peer.port !== undefined) attributes[names.peerPort] = peer.port;
  return filterAttributes(attributes, telemetry.isAllowed);
}

/** The server follows the call; left to do is what has to happen within its context. */
function runWithin(record: CallRecord, next: AnyFn, request: AnyRequest): Promise<AnyResponse> {
  const answer = context.with(record.context as Context, next, undefined, request);
  if (!request.stream && !record.isRecording) return answer;
  return answer.then(
    (response) => {
      if (record.isRecording) record.onResponseHeader(response.header);
      if (!response.stream) return response;
      const message = followMessages<Message>(response.message, {
        context: record.context,
        onThrown: (thrown) => record.onThrown(thrown),
      });
      return { ...response, message } as StreamResponse;
    },
    (thrown) => {
      record.onThrown(thrown);
      throw thrown;
    },
  );
}

async function runAlone(
  record: CallRecord,
  next: AnyFn,
  request: AnyRequest,
): Promise<AnyResponse> {
  const fail = (thrown: unknown) => {
    record.onThrown(thrown);
    record.onEnd(ConnectError.from(thrown, Code.Internal));
  };
  const onRequest = (message: Message) => record.onReceived(message);
  if (!request.stream) onRequest(request.message);
  const followed = request.stream
    ? { ...request, message: followMessages<Message>(request.message, { onMessage: onRequest }) }
    : request;
  try {
    const run = () => next(followed as AnyRequest);
    const response = await (record.context ? context.with(record.context, run) : run());
    record.onResponseHeader(response.header);
    if (!response.stream) {
      record.onSent(response.message);
      record.onEnd(undefined);
      return response;
    }
    const message = followMessages<Message>(response.message, {
      context: record.context,
      onMessage: (item) => record.onSent(item),
      onDone: () => record.onEnd(undefined),
      onThrown: fail,
      onReturn: () => record.onEnd(new ConnectError("the client left", Code.Canceled)),
    });
    return { ...response, message } as StreamResponse;
  } catch (thrown) {
    fail(thrown);
    throw thrown;
  }
}

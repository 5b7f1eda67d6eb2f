import { setTimeout as sleep } from "node:timers/promises";
import { createRegistry, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import {
  type BidiStreamRequest,
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  ConformancePayload_RequestInfoSchema,
  type ConformancePayloadSchema,
  type ConformanceService,
  type Error as ErrorDefinition,
  file_connectrpc_conformance_v1_service,
  type Header,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from "./gen/connectrpc/conformance/v1/service_pb.js";

type Payload = MessageInitShape<typeof ConformancePayloadSchema>;
type RequestInfo = MessageInitShape<typeof ConformancePayload_RequestInfoSchema>;

/** The messages that travel inside `google.protobuf.Any`: the JSON codec has to know them. */
export const registry = createRegistry(file_connectrpc_conformance_v1_service);

/** Answers each call as its request asks for. `unimplemented` is left to the server. */
export const conformanceService: Omit<ServiceImpl<typeof ConformanceService>, "unimplemented"> = {
  async unary(request, context) {
    const received = [anyPack(UnaryRequestSchema, request)];
    return { payload: await answerOnce(request.responseDefinition, received, context) };
  },

  async idempotentUnary(request, context) {
    const received = [anyPack(IdempotentUnaryRequestSchema, request)];
    return { payload: await answerOnce(request.responseDefinition, received, context) };
  },

  async clientStream(requests, context) {
    const received: Any[] = [];
    let definition: UnaryResponseDefinition | undefined;
    for await (const request of requests) {
      if (received.length === 0) definition = request.responseDefinition;
      received.push(anyPack(ClientStreamRequestSchema, request));
    }
    return { payload: await answerOnce(definition, received, context) };
  },

  async *serverStream(request, context) {
    const received = [anyPack(ServerStreamRequestSchema, request)];
    setMetadata(request.responseDefinition, context);
    yield* answerAll(request.responseDefinition, received, context);
  },

  async *bidiStream(requests, context) {
    let received: Any[] = [];
    let first: BidiStreamRequest | undefined;
    let sent = 0;
    for await (const request of requests) {
      received.push(anyPack(BidiStreamRequestSchema, request));
      if (!first) {
        first = request;
        setMetadata(first.responseDefinition, context);
      }
      if (!first.fullDuplex) continue;
      const data = first.responseDefinition?.responseData[sent];
      if (data === undefined) break;
      const info = sent === 0 ? requestInfo(received, context) : { requests: received };
      await delay(first.responseDefinition);
      yield { payload: { data, requestInfo: info } };
      received = [];
      sent++;
    }
    yield* answerAll(first?.responseDefinition, received, context, sent);
  },
};

async function answerOnce(
  definition: UnaryResponseDefinition | undefined,
  received: Any[],
  context: HandlerContext,
): Promise<Payload> {
  const info = requestInfo(received, context);
  setMetadata(definition, context);
  await delay(definition);
  const response = definition?.response;
  if (response?.case === "error") throw toConnectError(response.value, info);
  return { requestInfo: info, data: response?.value };
}

/** Sends what is left after `sent` messages. The first message, or else the error, reports the request. */
async function* answerAll(
  definition: StreamResponseDefinition | undefined,
  received: Any[],
  context: HandlerContext,
  sent = 0,
): AsyncGenerator<{ payload: Payload }> {
  if (!definition) return;
  let info = sent === 0 ? requestInfo(received, context) : undefined;
  for (const data of definition.responseData.slice(sent)) {
    await delay(definition);
    yield { payload: { data, requestInfo: info } };
    info = undefined;
  }
  if (definition.error) throw toConnectError(definition.error, info);
}

function requestInfo(requests: Any[], context: HandlerContext): RequestInfo {
  const timeoutMs = context.timeoutMs();
  return {
    requests,
    requestHeaders: toHeaders(context.requestHeader),
    timeoutMs: timeoutMs === undefined ? undefined : BigInt(Math.trunc(timeoutMs)),
    connectGetInfo:
      context.requestMethod === "GET"
        ? { queryParams: toHeaders(new URL(context.url).searchParams) }
        : undefined,
  };
}

function toHeaders(source: Headers | URLSearchParams): { name: string; value: string[] }[] {
  return [...source].map(([name, value]) => ({ name, value: [value] }));
}

function setMetadata(
  definition: UnaryResponseDefinition | StreamResponseDefinition | undefined,
  context: HandlerContext,
): void {
  if (!definition) return;
  append(context.responseHeader, definition.responseHeaders);
  append(context.responseTrailer, definition.responseTrailers);
}

function append(target: Headers, headers: Header[]): void {
  for (const { name, value } of headers) {
    for (const item of value) target.append(name, item);
  }
}

/** The signal is ignored on purpose: the deadline is the server's to enforce. */
async function delay(
  definition: UnaryResponseDefinition | StreamResponseDefinition | undefined,
): Promise<void> {
  const { responseDelayMs = 0 } = definition ?? {};
  if (responseDelayMs > 0) await sleep(responseDelayMs);
}

function toConnectError(definition: ErrorDefinition, info: RequestInfo | undefined): ConnectError {
  const error = new ConnectError(
    definition.message ?? "",
    definition.code.valueOf(),
    undefined,
    info && [{ desc: ConformancePayload_RequestInfoSchema, value: info }],
  );
  const details = definition.details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  error.details.unshift(...details);
  return error;
}

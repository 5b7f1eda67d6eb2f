import { Code, ConnectError, type Interceptor, type StreamRequest } from "@connectrpc/connect";
import { trace } from "@opentelemetry/api";
import type { Logger as PinoLogger } from "pino";
import {
  extendInterceptor,
  type Logger,
  peerKey,
  requestIdKey,
  transportKey,
} from "../core/index.ts";
import {
  type AnyRequest,
  type AnyResponse,
  callOfRequest,
  callSpanKey,
  checkBoolean,
  checkInteger,
  checkKeys,
  checkLogger,
  checkOneOf,
  codeName,
  methodName,
  REQUEST_ID_HEADER,
} from "../core/internal.ts";
import { defaultLogger } from "./default-logger.ts";
import { watchMessages, withMessages } from "./message-stream.ts";
import { MethodPlans } from "./method-plans.ts";
import { PayloadLog, PayloadWriter } from "./payload-log.ts";
import { codeOf } from "./rpc-error.ts";

/** What takes a line: pino, or anything with these four methods. */
export type LoggerLike = Logger;

export interface LoggerOptions {
  /** Default: pino, on standard output. */
  readonly logger?: PinoLogger | LoggerLike;
  /**
   * Of calls that succeed. Errors of the server's making are at `error`, those of the client's at
   * `warn`, calls that the client gave up at this level too. Default `"info"`.
   */
  readonly level?: "debug" | "info" | "warn" | "error";
  /** Writes the messages too, with fields marked `[debug_redact = true]` masked. Default false. */
  readonly payloads?: boolean;
  /** Longest JSON of the messages of one direction. Default 4096. */
  readonly maxPayloadBytes?: number;
  /** Method patterns without a line. Default `grpc.health.v1.Health/*`. */
  readonly skip?: readonly string[];
}

/** Writes one line for each call, when it ends: for a stream, when its last message is out. */
export function createLoggerInterceptor(options: LoggerOptions = {}): Interceptor {
  checkKeys("logger", options, [
    "logger",
    "level",
    "payloads",
    "maxPayloadBytes",
    "skip",
  ] satisfies ReadonlyArray<keyof LoggerOptions>);
  const {
    level = "info",
    payloads = false,
    maxPayloadBytes = 4096,
    skip = ["grpc.health.v1.Health/*"],
  } = options;
  checkOneOf("logger.level", level, ["debug", "info", "warn", "error"]);
  checkBoolean("logger.payloads", payloads);
  checkInteger("logger.maxPayloadBytes", maxPayloadBytes, 1, Number.MAX_SAFE_INTEGER);
  if (options.logger !== undefined) checkLogger("logger.logger", options.logger);
  const logger: Logger = options.logger ?? defaultLogger(level);
  const writer = payloads ? new PayloadWriter(maxPayloadBytes) : undefined;
  const plans = new MethodPlans("logger.skip", skip, () => true);

  return extendInterceptor(
    (next) => async (request) => {
      if (!plans.get(request.method)) return next(request);
      const line = new CallLine(request, logger, level, writer);
      try {
        return line.follow(await next(line.request));
      } catch (thrown) {
        line.fail(thrown);
        throw thrown;
      }
    },
    { attach: ({ services }) => writer?.addTypes(services) },
  );
}

/** The line of one call, and what is counted for it. */
class CallLine {
  readonly request: AnyRequest;
  readonly #logger: Logger;
  readonly #level: "debug" | "info" | "warn" | "error";
  readonly #span = trace.getActiveSpan()?.spanContext();
  readonly #start = performance.now();
  readonly #requests: PayloadLog | undefined;
  readonly #responses: PayloadLog | undefined;
  #requestCount = 0;
  #responseCount = 0;

  constructor(
    request: AnyRequest,
    logger: Logger,
    level: "debug" | "info" | "warn" | "error",
    writer: PayloadWriter | undefined,
  ) {
    const { input, output } = request.method;
    this.#logger = logger;
    this.#level = level;
    this.#requests = writer && new PayloadLog(writer, input);
    this.#responses = writer && new PayloadLog(writer, output);
    this.request = request.stream ? this.#countRequests(request) : request;
    if (!request.stream) this.#requests?.add(request.message);
  }

  follow(response: AnyResponse): AnyResponse {
    const requestId = this.#requestId();
    if (!response.stream) {
      if (requestId && !response.header.has(REQUEST_ID_HEADER)) {
        response.header.set(REQUEST_ID_HEADER, requestId);
      }
      this.#responses?.add(response.message);
      this.#write(undefined);
      return response;
    }
    const messages = watchMessages<unknown>(response.message, {
      onMessage: (message) => {
        this.#responseCount++;
        this.#responses?.add(message);
        return message;
      },
      onDone: () => this.#write(undefined),
      onLeave: () => this.#write({ thrown: new ConnectError("the reader left", Code.Canceled) }),
      onError: (thrown) => {
        this.fail(thrown);
        return thrown;
      },
    });
    return withMessages(response, messages);
  }

  fail(thrown: unknown): void {
    this.#write({ thrown });
  }

  #countRequests(request: StreamRequest): AnyRequest {
    const message = watchMessages<unknown>(request.message, {
      onMessage: (message) => {
        this.#requestCount++;
        this.#requests?.add(message);
        return message;
      },
    });
    return { ...request, message } as AnyRequest;
  }

  #requestId(): string | undefined {
    return this.request.contextValues.get(requestIdKey) || undefined;
  }

  /** A log that cannot be written is no reason to fail a call. */
  #write(failure: { readonly thrown: unknown } | undefined): void {
    try {
      const { details, level } = this.#describe(failure);
      this.#logger[level](details, "call ended");
    } catch {}
  }

  #describe(failure: { readonly thrown: unknown } | undefined) {
    const { request } = this;
    const { contextValues, method, stream } = request;
    const span = contextValues.get(callSpanKey) ?? this.#span;
    const code = failure && codeOf(failure.thrown, request);
    const details = {
      method: methodName(method),
      kind: method.methodKind,
      protocol: callOfRequest(request)?.protocolName,
      transport: contextValues.get(transportKey),
      code: code === undefined ? "ok" : codeName(code),
      durationMs: Math.round((performance.now() - this.#start) * 1000) / 1000,
      peer: peerName(request),
      userAgent: request.header.get("user-agent") ?? undefined,
      requestId: this.#requestId(),
      traceId: span?.traceId,
      spanId: span?.spanId,
      requestMessages: stream ? this.#requestCount : undefined,
      responseMessages: stream ? this.#responseCount : undefined,
      request: this.#requests?.json,
      response: this.#responses?.json,
    };
    if (code === undefined || code === Code.Canceled) return { details, level: this.#level };
    const thrown = failure?.thrown;
    if (serverFaults.has(code))
      return { details: { ...details, err: thrown }, level: "error" as const };
    const error = thrown instanceof ConnectError ? thrown.rawMessage : undefined;
    return { details: { ...details, error }, level: "warn" as const };
  }
}

/** What OpenTelemetry counts as errors of a server, so that logs and traces agree. */
const serverFaults: ReadonlySet<Code> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

function peerName({ contextValues }: AnyRequest): string | undefined {
  const { address, port } = contextValues.get(peerKey);
  if (address === "") return undefined;
  if (port === undefined) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

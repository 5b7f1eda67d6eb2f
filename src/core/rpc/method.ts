import { create, type DescMethod, type Message } from "@bufbuild/protobuf";
import type {
  ConnectError,
  HandlerContext,
  Interceptor,
  StreamRequest,
  StreamResponse,
  UnaryRequest,
  UnaryResponse,
} from "@connectrpc/connect";
import type { Logger } from "../logger.ts";
import type { Route, RouteOptions } from "../routes.ts";
import { type Codec, type CodecName, createCodecs } from "../wire/codec.ts";
import { Call } from "./call.ts";
import { type CallObserverFactory, observerFactory } from "./call-observer.ts";
import type { CallRegistry } from "./call-registry.ts";
import { callOfRequest, streamRequest, unaryRequest } from "./call-request.ts";
import type { CallSource, ProtocolName } from "./call-source.ts";
import { type AnyFn, type AnyRequest, type AnyResponse, compose } from "./chain.ts";
import { Gates } from "./gates.ts";
import { handlerContext } from "./handler-context.ts";
import { exactlyOne, normalizeMessages, onlyMessage } from "./messages.ts";
import { isHiding, toRpcError } from "./rpc-error.ts";

/**
 * One registered RPC, compiled once: interceptors, gates, implementation. Every door, network or
 * in-process, goes through here, so that none can differ from another.
 */
export class Method {
  readonly desc: DescMethod;
  readonly path: string;
  readonly options: RouteOptions;
  readonly codecs: Readonly<Record<CodecName, Codec>>;
  readonly registry: CallRegistry;
  readonly #implementation: Route["implementation"];
  readonly #observe: readonly CallObserverFactory[];
  readonly #chain: AnyFn | undefined;
  /** The chain of a call that nobody follows, without those who would have. */
  readonly #unobservedChain: AnyFn | undefined;
  readonly #gates: Gates | undefined;
  readonly #logger: Logger;

  constructor(
    { method, path, implementation, options }: Route,
    registry: CallRegistry,
    logger: Logger,
  ) {
    this.#logger = logger;
    this.desc = method;
    this.path = path;
    this.options = options;
    this.codecs = createCodecs(method, options);
    this.registry = registry;
    this.#implementation = implementation;
    const { interceptors } = options;
    this.#observe = interceptors.flatMap((interceptor) => observerFactory(interceptor) ?? []);
    this.#chain = this.#chainOf(interceptors);
    this.#unobservedChain =
      this.#observe.length > 0
        ? this.#chainOf(interceptors.filter((interceptor) => !observerFactory(interceptor)))
        : this.#chain;
    this.#gates = Gates.of(method, interceptors);
  }

  openCall(protocolName: ProtocolName, source: CallSource, timeoutMs: number | undefined): Call {
    const call = new Call(this.desc, protocolName, source, timeoutMs, this.registry);
    if (this.#observe.length > 0) {
      const observers = this.#observe.flatMap((observe) => observe(call) ?? []);
      if (observers.length > 0) call.observers = observers;
    }
    return call;
  }

  /** Whether the answer is a response object of an interceptor chain, or what the handler gave. */
  hasInterceptors(call: Call): boolean {
    return this.#chainFor(call) !== undefined;
  }

  /** Asks the gates, if there are any; see {@link Gates.pass}. */
  pass(call: Call): Promise<AnyResponse | undefined> | undefined {
    return this.#gates?.pass(call);
  }

  /**
   * Runs a unary call. The result is a promise only where something in the call is asynchronous; a
   * response object only where interceptors are mounted, otherwise the bare message.
   */
  callUnary(
    call: Call,
    message: Message,
  ): UnaryResponse | Message | Promise<UnaryResponse | Message> {
    const chain = this.#chainFor(call);
    if (chain) return chain(unaryRequest(call, message)) as Promise<UnaryResponse>;
    const output = this.#implementation(message as never, call);
    if (isThenable(output)) return output.then(this.toOutput);
    return this.toOutput(output);
  }

  /**
   * Runs a call of any streaming kind. Without interceptors the messages are as the handler gives
   * them, for the door to pass through {@link toOutput}.
   */
  callStream(
    call: Call,
    messages: AsyncIterable<Message>,
  ): Promise<StreamResponse | AsyncIterable<Message>> {
    const chain = this.#chainFor(call);
    if (chain) return chain(streamRequest(call, messages)) as Promise<StreamResponse>;
    return this.#run(messages, call);
  }

  /** The error a client may see; what it gets to know only as `internal error` is logged here. */
  toError(thrown: unknown, call: Call): ConnectError {
    const error = toRpcError(thrown, call);
    if (isHiding(error)) this.#log(error.cause, call);
    return error;
  }

  #chainOf(interceptors: readonly Interceptor[]): AnyFn | undefined {
    return interceptors.length > 0 ? compose(interceptors, this.#invoke) : undefined;
  }

  #chainFor(call: Call): AnyFn | undefined {
    return call.observers ? this.#chain : this.#unobservedChain;
  }

  #log(thrown: unknown, call: Call): void {
    this.#logger.error(
      { err: thrown, method: this.path.slice(1), protocol: call.protocolName },
      "call failed with an error that is no ConnectError",
    );
  }

  /** A response message, whatever shape of it a handler gave. */
  readonly toOutput = (output: unknown): Message => create(this.desc.output, output as never);

  /** The innermost function of the chain: calls the implementation with what interceptors left. */
  readonly #invoke = (request: AnyRequest): Promise<AnyResponse> =>
    request.stream ? this.#invokeStream(request) : this.#invokeUnary(request);

  /** Not `async`: most handlers of a unary call need nobody to wait for them. */
  #invokeUnary(request: UnaryRequest): Promise<UnaryResponse> {
    const call = callOfRequest(request);
    const context = handlerContext(request, call);
    const toOutput = call?.convertOutput ?? this.toOutput;
    try {
      const output = this.#implementation(request.message as never, context);
      if (isThenable(output)) {
        return output.then((settled) => unaryResponse(request, context, toOutput(settled)));
      }
      return Promise.resolve(unaryResponse(request, context, toOutput(output)));
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  async #invokeStream(request: StreamRequest): Promise<StreamResponse> {
    const call = callOfRequest(request);
    const context = handlerContext(request, call);
    const { responseHeader: header, responseTrailer: trailer } = context;
    const outputs = await this.#run(request.message, context);
    const message = normalizeMessages(outputs, call?.convertOutput ?? this.toOutput);
    const { service, method } = request;
    return { stream: true, service, method, header, trailer, message } as StreamResponse;
  }

  async #run(
    messages: AsyncIterable<Message>,
    context: Parameters<Route["implementation"]>[1],
  ): Promise<AsyncIterable<Message>> {
    const implementation = this.#implementation as (request: unknown, context: unknown) => unknown;
    switch (this.desc.methodKind) {
      case "server_streaming":
        return this.#outputs(implementation(await exactlyOne(messages), context));
      case "client_streaming":
        return onlyMessage((await implementation(messages, context)) as Message);
      default:
        return this.#outputs(implementation(messages, context));
    }
  }

  #outputs(outputs: unknown): AsyncIterable<Message> {
    const iterable = outputs as AsyncIterable<unknown> | undefined;
    if (typeof iterable?.[Symbol.asyncIterator] !== "function") {
      throw new TypeError(`${this.path} must return an AsyncIterable of response messages`);
    }
    return iterable as AsyncIterable<Message>;
  }
}

function unaryResponse(
  { service, method }: UnaryRequest,
  { responseHeader: header, responseTrailer: trailer }: HandlerContext,
  message: Message,
): UnaryResponse {
  return { stream: false, service, method, header, trailer, message } as UnaryResponse;
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

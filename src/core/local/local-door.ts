import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import type { Call } from "../rpc/call.ts";
import type { Method } from "../rpc/method.ts";
import { RpcHeaders } from "../rpc/rpc-headers.ts";
import { LocalCall } from "./local-call.ts";
import { toClientError } from "./local-error.ts";
import { LocalStream } from "./local-stream.ts";

/** What the door needs of its server. Reading `methods` freezes the routes. */
export interface LocalHost {
  readonly methods: ReadonlyMap<string, Method>;
  /** Settles when interceptors are attached; undefined once they are. Reading it freezes the routes. */
  readonly attaching: Promise<void> | undefined;
  /** The error of a call that arrives when the server is stopped. */
  readonly closedReason: ConnectError | undefined;
}

/**
 * The door for callers in this process. Messages pass by reference, headers are copied both ways, and
 * everything between is the Method that network calls take too.
 */
export class LocalDoor implements Transport {
  readonly #host: LocalHost;
  readonly #active = new Set<LocalCall>();
  readonly #byDesc = new WeakMap<DescMethod, Method>();
  #onIdle: (() => void) | undefined;

  constructor(host: LocalHost) {
    this.#host = host;
  }

  /** Every mounted method by its path. Freezes the routes. */
  get methods(): ReadonlyMap<string, Method> {
    return this.#host.methods;
  }

  /** Resolves when no call is under way. */
  drain(): Promise<void> {
    if (this.#active.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Ends every call for its caller, whatever the handler does. */
  destroy(reason: ConnectError): void {
    for (const local of [...this.#active]) {
      local.leave(reason);
      this.#close(local);
    }
  }

  unary<I extends DescMessage, O extends DescMessage>(
    desc: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: MessageInitShape<I>,
    values?: ContextValues,
  ): Promise<UnaryResponse<I, O>> {
    const attaching = this.#attaching();
    if (attaching) {
      return attaching.then(() => this.unary(desc, signal, timeoutMs, header, input, values));
    }
    return new Promise((resolve, reject) => {
      const method = this.#find(desc);
      const local = this.#open(method, header, signal, timeoutMs, values);
      const call = openCall(method, local, timeoutMs);
      const fail = (thrown: unknown) => {
        if (!this.#close(local)) return;
        const error = local.closeReason ?? method.toError(thrown, call);
        call.end(error);
        reject(local.callerError ?? toClientError(error, call));
      };
      const answer = (output: UnaryResponse | Message) => {
        if (!this.#close(local)) return;
        const response = method.hasInterceptors(call) ? (output as UnaryResponse) : undefined;
        const message = response ? response.message : output;
        const responseHeader = response ? response.header : call.touchedResponseHeader;
        const responseTrailer = response ? response.trailer : call.touchedResponseTrailer;
        if (call.observers) call.sent(message as Message, undefined);
        call.end();
        resolve({
          stream: false,
          service: desc.parent,
          method: desc,
          header: RpcHeaders.from(responseHeader),
          trailer: RpcHeaders.from(responseTrailer),
          message,
        } as unknown as UnaryResponse<I, O>);
      };
      if (local.closeReason) {
        fail(local.closeReason);
        return;
      }
      local.onLeave((reason) => {
        call.abort(reason);
        fail(reason);
      });
      const run = () => {
        try {
          const message = create(desc.input, input);
          if (call.observers) call.received(message, undefined);
          const output = method.callUnary(call, message);
          if (isPromise(output)) output.then(answer, fail);
          else answer(output);
        } catch (error) {
          fail(error);
        }
      };
      const passing = method.pass(call);
      if (!passing) run();
      else {
        passing.then((early) => {
          if (early) answer(early as UnaryResponse);
          else run();
        }, fail);
      }
    });
  }

  stream<I extends DescMessage, O extends DescMessage>(
    desc: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: AsyncIterable<MessageInitShape<I>>,
    values?: ContextValues,
  ): Promise<StreamResponse<I, O>> {
    const attaching = this.#attaching();
    if (attaching) {
      return attaching.then(() => this.stream(desc, signal, timeoutMs, header, input, values));
    }
    try {
      const method = this.#find(desc);
      const local = this.#open(method, header, signal, timeoutMs, values);
      const call = openCall(method, local, timeoutMs);
      const stream = new LocalStream(method, call, local, input, () => this.#close(local));
      return stream.open() as Promise<StreamResponse<I, O>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** What the first calls wait for; it rejects when routes cannot be mounted. */
  #attaching(): Promise<void> | undefined {
    try {
      return this.#host.attaching;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #find(desc: DescMethod): Method {
    const { closedReason, methods } = this.#host;
    if (closedReason) throw closedReason;
    let method = this.#byDesc.get(desc);
    if (method === undefined) {
      const path = `/${desc.parent.typeName}/${desc.name}`;
      method = methods.get(path);
      if (!method) {
        throw new ConnectError(
          `${path.slice(1)} is not mounted on this server`,
          Code.Unimplemented,
        );
      }
      this.#byDesc.set(desc, method);
    }
    return method;
  }

  #open(
    method: Method,
    header: HeadersInit | undefined,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    values: ContextValues | undefined,
  ): LocalCall {
    const local = new LocalCall(method.path, header, signal, positive(timeoutMs), values);
    this.#active.add(local);
    return local;
  }

  /** False if the call was closed before. */
  #close(local: LocalCall): boolean {
    if (!this.#active.delete(local)) return false;
    local.settle();
    if (this.#active.size === 0) this.#onIdle?.();
    return true;
  }
}

/** The server's side of the call; its deadline is never longer than the server allows. */
function openCall(method: Method, local: LocalCall, timeoutMs: number | undefined): Call {
  const { maxTimeoutMs } = method.options;
  const asked = positive(timeoutMs);
  const clamped = asked === undefined ? undefined : Math.min(asked, maxTimeoutMs);
  return method.openCall("grpc", local, clamped);
}

/** A timeout of 0 or less is none, as for every client of connect-es. */
function positive(timeoutMs: number | undefined): number | undefined {
  return timeoutMs !== undefined && timeoutMs > 0 ? timeoutMs : undefined;
}

function isPromise<T extends object>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown }).then === "function";
}

import { create, type DescMethod, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type GateContext, interceptorExtension } from "../extend-interceptor.ts";
import type { Call } from "./call.ts";
import { callOfRequest, streamRequest, unaryRequest } from "./call-request.ts";
import { type AnyFn, type AnyResponse, compose } from "./chain.ts";

interface Gate {
  readonly enter: (context: GateContext) => void | Promise<void>;
  /** The interceptors outside the gate: they hear of a refusal. */
  readonly outside: AnyFn;
}

/** What decides on a call of one method by its headers, before anybody touches its body. */
export class Gates {
  readonly #method: DescMethod;
  readonly #gates: readonly Gate[];

  private constructor(method: DescMethod, gates: readonly Gate[]) {
    this.#method = method;
    this.#gates = gates;
  }

  /** Undefined when none of the interceptors has a gate. */
  static of(method: DescMethod, interceptors: readonly Interceptor[]): Gates | undefined {
    const gates = interceptors.flatMap((interceptor, index) => {
      const enter = interceptorExtension(interceptor)?.gate;
      return enter ? [{ enter, outside: compose(interceptors.slice(0, index), rejectWith) }] : [];
    });
    return gates.length > 0 ? new Gates(method, gates) : undefined;
  }

  /**
   * Runs the gates in chain order. Undefined when all let the call pass at once; else a promise that
   * resolves to undefined when they do, otherwise to what the interceptors outside the refusing gate made
   * of it, and rejects when they let the refusal stand.
   */
  pass(call: Call): Promise<AnyResponse | undefined> | undefined {
    const context: GateContext = {
      method: this.#method,
      header: call.requestHeader,
      contextValues: call.values,
      peer: call.source.peer,
    };
    for (const [index, { enter, outside }] of this.#gates.entries()) {
      try {
        const entering = enter(context);
        if (entering) return this.#passFrom(index, entering, context, call);
      } catch (refusal) {
        return this.#refuse(refusal, outside, call);
      }
    }
    return undefined;
  }

  /** The rest of {@link pass}, from a gate that does not answer at once. */
  async #passFrom(
    index: number,
    entering: Promise<void>,
    context: GateContext,
    call: Call,
  ): Promise<AnyResponse | undefined> {
    for (const [offset, { enter, outside }] of this.#gates.slice(index).entries()) {
      try {
        await (offset === 0 ? entering : enter(context));
      } catch (refusal) {
        return this.#refuse(refusal, outside, call);
      }
    }
    return undefined;
  }

  async #refuse(refusal: unknown, outside: AnyFn, call: Call): Promise<AnyResponse> {
    const request =
      this.#method.methodKind === "unary"
        ? unaryRequest(call, create(this.#method.input))
        : streamRequest(call, nothing());
    call.refusal = refusal;
    return outside(request);
  }
}

/** Innermost function for the interceptors outside a refusing gate: they see `next` reject with it. */
const rejectWith: AnyFn = (request) =>
  Promise.reject(
    callOfRequest(request)?.refusal ?? new ConnectError("call refused", Code.PermissionDenied),
  );

async function* nothing(): AsyncIterable<Message> {}

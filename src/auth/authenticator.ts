import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextKey, type Interceptor } from "@connectrpc/connect";
import type { GateContext, InterceptorExtension, Logger } from "../core/index.ts";
import {
  checkBoolean,
  checkFunction,
  deleteHeadersWithPrefix,
  infrastructureMethods,
  methodMatcher,
  methodName,
  silentLogger,
} from "../core/internal.ts";
import { type AuthContextInit, toAuthContext } from "./auth-context.ts";
import { type AuthFailure, Refusal, reasonOf } from "./auth-failure.ts";
import { AUTH_HEADER_PREFIX, setAuthHeaders } from "./auth-headers.ts";
import { type Identity, runCallAs } from "./current-auth.ts";
import { createGated, explainKey } from "./gated.ts";
import { identityOf, setIdentity } from "./origin.ts";
import { propagatedTo } from "./propagated.ts";
import { type AuthCacheOptions, VerificationCache } from "./verification-cache.ts";

/** What is known of a call before its body. */
export type AuthCall = GateContext;

/** What every authenticator takes. */
export interface AuthenticationOptions {
  /**
   * Methods that are not authenticated: `*`, `pkg.*`, `pkg.Service/*`, `pkg.Service/Method`. Their
   * calls are anonymous, whatever they send. Default `grpc.health.v1.Health/*`, `grpc.reflection.*`;
   * a list of your own replaces these.
   */
  readonly skipMethods?: readonly string[];
  /**
   * Writes the verified identity into the request's `x-auth-*` headers, for handlers that pass
   * headers on. An identity too long for them ends the call with `resource_exhausted`. Default false.
   */
  readonly propagateHeaders?: boolean;
  /** Hears of every call that is refused, with the reason that the client does not get. */
  readonly onFailure?: (failure: AuthFailure) => void;
}

export interface CachedAuthenticationOptions extends AuthenticationOptions {
  /** Remembers verified credentials, so that they are not verified on every call. Default off. */
  readonly cache?: AuthCacheOptions;
}

export const authenticationKeys = ["skipMethods", "propagateHeaders", "onFailure"] as const;
export const cachedAuthenticationKeys = [...authenticationKeys, "cache"] as const;

type Result = AuthContextInit | null | undefined;

/** What sets one kind of authenticator apart from the others. `C` is its credential. */
export interface AuthenticatorKind<C> {
  /** Default `type` of its contexts. */
  readonly type: string;
  /** Headers only this authenticator may read; they are gone from the call in every outcome. */
  readonly ownHeaders?: readonly string[];
  /** The credential of a call; without one there is nothing to verify. */
  readonly extract: (call: AuthCall, own: ReadonlyMap<string, string>) => C | Promise<C>;
  /** Whom the credential belongs to. Null or a throw refuses it. */
  readonly verify: (credential: NonNullable<C>, call: AuthCall) => Result | Promise<Result>;
  /** What the credential is remembered by; undefined is never remembered. */
  readonly cacheKey?: (credential: NonNullable<C>) => string | undefined;
  /** Restricts it to some methods; the others pass as they are. Default all. */
  readonly appliesTo?: (method: DescMethod) => boolean;
  readonly isInternal?: boolean;
  readonly attach?: InterceptorExtension["attach"];
}

const noHeaders: ReadonlyMap<string, string> = new Map();

/** Set once the headers a client may have forged are gone. */
const strippedKey = createContextKey(false, { description: "connectum auth headers stripped" });

/** An interceptor that puts an identity on calls, as a gate before their body is read. */
export function createAuthenticator<C>(
  options: CachedAuthenticationOptions,
  kind: AuthenticatorKind<C>,
): Interceptor {
  const authenticator = new Authenticator(options, kind);
  return createGated({
    gate: (call) => authenticator.run(call),
    proceed: (next, request) => runCallAs(identityOf(request.contextValues), next, request),
    attach(context) {
      authenticator.logger = context.logger;
      return kind.attach?.(context);
    },
    [explainKey]: {
      authenticates: (method) => (authenticator.isCalledFor(method) ? kind.type : undefined),
    },
  });
}

class Authenticator<C> {
  logger: Logger = silentLogger;
  readonly #kind: AuthenticatorKind<C>;
  readonly #isSkipped: (method: DescMethod) => boolean;
  readonly #propagateHeaders: boolean;
  readonly #onFailure: ((failure: AuthFailure) => void) | undefined;
  readonly #cache: VerificationCache | undefined;

  constructor(options: CachedAuthenticationOptions, kind: AuthenticatorKind<C>) {
    const {
      skipMethods = infrastructureMethods,
      propagateHeaders = false,
      onFailure,
      cache,
    } = options;
    this.#kind = kind;
    this.#isSkipped = methodMatcher("skipMethods", skipMethods);
    checkBoolean("propagateHeaders", propagateHeaders);
    if (onFailure !== undefined) checkFunction("onFailure", onFailure);
    this.#propagateHeaders = propagateHeaders;
    this.#onFailure = onFailure;
    this.#cache = cache && new VerificationCache(cache);
  }

  /** Returns a promise only where something is asynchronous. */
  run(call: AuthCall): void | Promise<void> {
    const { ownHeaders } = this.#kind;
    const own = ownHeaders ? takeHeaders(call.header, ownHeaders) : noHeaders;
    if (!call.contextValues.get(strippedKey)) {
      call.contextValues.set(strippedKey, true);
      deleteHeadersWithPrefix(call.header, AUTH_HEADER_PREFIX);
    }
    if (!this.isCalledFor(call.method)) return;
    try {
      const running = this.#authenticate(call, own);
      if (running) return running.catch((thrown) => this.#fail(thrown, call));
    } catch (thrown) {
      this.#fail(thrown, call);
    }
  }

  isCalledFor(method: DescMethod): boolean {
    return !this.#isSkipped(method) && (this.#kind.appliesTo?.(method) ?? true);
  }

  #authenticate(call: AuthCall, own: ReadonlyMap<string, string>): void | Promise<void> {
    const credential = this.#kind.extract(call, own);
    if (!isPromise(credential)) return this.#check(credential, call);
    return credential.then((found) => this.#check(found, call));
  }

  #check(credential: C, call: AuthCall): void | Promise<void> {
    const { verify, cacheKey, isInternal = false } = this.#kind;
    if (credential === undefined || credential === null || credential === "") {
      const propagated = propagatedTo(call.contextValues);
      if (!propagated || (isInternal && !propagated.isInternal)) throw missingCredentials();
      return this.#accept(propagated, call);
    }
    const key = this.#cache && cacheKey?.(credential);
    const known = key === undefined ? undefined : this.#cache?.get(key);
    if (known) return this.#accept({ context: known, isInternal }, call);
    const result = verify(credential, call);
    if (!isPromise(result)) return this.#conclude(result, key, call);
    return result.then((settled) => this.#conclude(settled, key, call));
  }

  #conclude(result: Result, key: string | undefined, call: AuthCall): void {
    if (result === undefined || result === null) throw new Refusal("credentials refused");
    const { type, isInternal = false } = this.#kind;
    const context = toAuthContext(result, type);
    if (key !== undefined) this.#cache?.set(key, context);
    this.#accept({ context, isInternal }, call);
  }

  #accept(identity: Identity, call: AuthCall): void {
    if (this.#propagateHeaders) setAuthHeaders(call.header, identity.context);
    setIdentity(call.contextValues, identity);
  }

  #fail(thrown: unknown, call: AuthCall): never {
    const { peer } = call;
    const method = methodName(call.method);
    const reason = reasonOf(thrown);
    const error = thrown instanceof Refusal ? undefined : thrown;
    const details = { method, reason, peer: peer.address, ...(error ? { err: error } : undefined) };
    this.logger.info(details, "a call was not authenticated");
    try {
      this.#onFailure?.({ method, reason, error, peer });
    } catch (err) {
      this.logger.error({ err }, "onFailure threw");
    }
    if (thrown instanceof ConnectError) throw thrown;
    const answer = thrown instanceof Refusal ? thrown.answer : undefined;
    throw new ConnectError(answer ?? "Authentication failed", Code.Unauthenticated);
  }
}

function missingCredentials(): Refusal {
  return new Refusal("no credentials", "Missing credentials");
}

/** Reads the headers and removes them. */
function takeHeaders(header: Headers, names: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Map<string, string>();
  for (const name of names) {
    const value = header.get(name);
    if (value === null) continue;
    taken.set(name, value);
    header.delete(name);
  }
  return taken;
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

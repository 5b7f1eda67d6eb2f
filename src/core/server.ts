import type { AddressInfo, Server as NetServer } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
} from "@connectrpc/connect";
import { ClientRouter, type ServerClientOptions } from "./client/client-router.ts";
import type { ServiceDefinition, ServiceRoute } from "./define-service.ts";
import { type Drain, startDrain } from "./drain.ts";
import { ConnectumError } from "./errors.ts";
import { LifecycleEvent, type LifecycleListener, ServerState } from "./lifecycle.ts";
import { LifecycleEvents } from "./lifecycle-events.ts";
import { Listener } from "./listener.ts";
import { localDoorOf } from "./local/create-local-transport.ts";
import { LocalDoor, type LocalHost } from "./local/local-door.ts";
import type { CreateServerOptions, EventBusLike } from "./options.ts";
import type { ProtocolRegistration } from "./protocol.ts";
import { createRequestHandler } from "./request-handler.ts";
import { type ResolvedOptions, resolveOptions } from "./resolve-options.ts";
import { Runtime } from "./runtime.ts";
import { type ShutdownHook, ShutdownHooks } from "./shutdown-hooks.ts";
import { checkTransport } from "./transport-validation.ts";

export interface Server {
  readonly state: ServerState;
  readonly isRunning: boolean;
  /** Where the server listens; a path for a Unix domain socket, null while it does not listen. */
  readonly address: AddressInfo | string | null;
  /** The Node server that accepts connections; null before start. */
  readonly transport: NetServer | null;
  /** Aborts when the drain begins, after `drainDelayMs`; a handler's own signal does not. */
  readonly shutdownSignal: AbortSignal;
  readonly routes: ReadonlyArray<ServiceRoute | ServiceDefinition>;
  readonly interceptors: readonly Interceptor[];
  readonly protocols: readonly ProtocolRegistration[];
  readonly eventBus: EventBusLike | undefined;
  /**
   * Freezes the routes, starts the event bus and listens. Rejects with the cause, after `error` was
   * emitted, everything taken was released and the shutdown hooks ran; the state is then `stopped`.
   */
  start(): Promise<void>;
  /**
   * Stops without losing a call: readiness off, drain, hooks. Rejects with an `AggregateError` if a
   * hook or the event bus failed, after everything else was done. While stopping it returns the
   * promise of the stop under way.
   */
  stop(): Promise<void>;
  on(event: LifecycleEvent, listener: LifecycleListener): this;
  once(event: LifecycleEvent, listener: LifecycleListener): this;
  off(event: LifecycleEvent, listener: LifecycleListener): this;
  /** Appends; possible until routes freeze. */
  addService(service: ServiceRoute | ServiceDefinition): void;
  addInterceptor(interceptor: Interceptor): void;
  addProtocol(protocol: ProtocolRegistration): void;
  /** Registers a hook that runs after the drain. Hooks it depends on run first. */
  onShutdown(hook: ShutdownHook): void;
  onShutdown(name: string, hook: ShutdownHook): void;
  onShutdown(name: string, dependencies: readonly string[], hook: ShutdownHook): void;
  /**
   * A client whose calls stay in this process, through the same interceptors as network calls. The
   * first call freezes the routes; of a service that is not mounted it fails `unimplemented`.
   */
  localClient<T extends DescService>(service: T): Client<T>;
  /**
   * A client of a service wherever it is: in process if it is mounted here, otherwise over the
   * transport of `remoteResolver`. Freezes the routes. Throws `CatalogConfigError` if there is no
   * resolver, and `unavailable` if it knows no transport.
   */
  client<T extends DescService>(service: T, options?: ServerClientOptions): Client<T>;
  /** Whether a service of this type name is mounted here. Freezes the routes. */
  hasService(service: DescService): boolean;
  /** Stops a running server; one never started runs its hooks and goes to `stopped`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates a server that is not started. Does no I/O and reads no environment. Throws
 * `ConnectumError("INVALID_OPTION")` for an option that is unknown or cannot work.
 *
 * @example
 * const server = createServer({ services: [(router) => router.service(Greeter, greeter)] });
 * await server.start();
 */
export function createServer(options: CreateServerOptions): Server {
  return new ConnectumServer(options);
}

class ConnectumServer implements Server {
  readonly #options: ResolvedOptions;
  readonly #events: LifecycleEvents;
  readonly #hooks = new ShutdownHooks();
  readonly #shutdown = new AbortController();
  readonly #runtime: Runtime;
  readonly [localDoorOf]: LocalDoor;
  readonly #clients: ClientRouter;
  #state: ServerState = ServerState.CREATED;
  #listener: Listener | undefined;
  #drain: Drain | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #isEventBusStarted = false;
  #stopAfterStart = false;

  constructor(options: CreateServerOptions) {
    this.#options = resolveOptions(options);
    this.#events = new LifecycleEvents(this.#options.logger);
    this.#runtime = new Runtime(this.#options, this.#events, this.#shutdown.signal);
    this[localDoorOf] = new LocalDoor(this.#localHost());
    const { remoteResolver, outgoingInterceptors } = this.#options;
    this.#clients = new ClientRouter({
      local: this[localDoorOf],
      isMounted: (typeName) => this.#isMounted(typeName, "client()"),
      remoteResolver,
      outgoingInterceptors,
    });
  }

  get state(): ServerState {
    return this.#state;
  }

  get isRunning(): boolean {
    return this.#state === ServerState.RUNNING;
  }

  get address(): AddressInfo | string | null {
    return this.#listener?.front.address() ?? null;
  }

  get transport(): NetServer | null {
    return this.#listener?.front ?? null;
  }

  get shutdownSignal(): AbortSignal {
    return this.#shutdown.signal;
  }

  get routes(): ReadonlyArray<ServiceRoute | ServiceDefinition> {
    return [...this.#options.services];
  }

  get interceptors(): readonly Interceptor[] {
    return [...this.#options.interceptors];
  }

  get protocols(): readonly ProtocolRegistration[] {
    return [...this.#options.protocols];
  }

  get eventBus(): EventBusLike | undefined {
    return this.#options.eventBus;
  }

  on(event: LifecycleEvent, listener: LifecycleListener): this {
    this.#events.on(event, listener);
    return this;
  }

  once(event: LifecycleEvent, listener: LifecycleListener): this {
    this.#events.once(event, listener);
    return this;
  }

  off(event: LifecycleEvent, listener: LifecycleListener): this {
    this.#events.off(event, listener);
    return this;
  }

  addService(service: ServiceRoute | ServiceDefinition): void {
    this.#checkNotFrozen("addService()");
    this.#options.services.push(service);
  }

  addInterceptor(interceptor: Interceptor): void {
    this.#checkNotFrozen("addInterceptor()");
    this.#options.interceptors.push(interceptor);
  }

  addProtocol(protocol: ProtocolRegistration): void {
    this.#checkNotFrozen("addProtocol()");
    this.#options.protocols.push(protocol);
  }

  onShutdown(
    ...args: [ShutdownHook] | [string, ShutdownHook] | [string, readonly string[], ShutdownHook]
  ): void {
    if (args.length === 1) this.#hooks.add(undefined, [], args[0]);
    else if (args.length === 2) this.#hooks.add(args[0], [], args[1]);
    else this.#hooks.add(...args);
  }

  hasService(service: DescService): boolean {
    return this.#isMounted(service.typeName, "hasService()");
  }

  client<T extends DescService>(service: T, options?: ServerClientOptions): Client<T> {
    return this.#clients.client(service, options);
  }

  localClient<T extends DescService>(service: T): Client<T> {
    return createClient(service, this[localDoorOf]);
  }

  start(): Promise<void> {
    if (this.#state !== ServerState.CREATED) {
      const hint =
        this.#state === ServerState.STOPPED
          ? "a stopped server cannot be started again, create a new one"
          : "start() works once";
      return Promise.reject(this.#invalidState("start()", hint));
    }
    this.#state = ServerState.STARTING;
    this.#starting = this.#runStart();
    return this.#starting;
  }

  stop(): Promise<void> {
    if (this.#stopping && this.#state === ServerState.STOPPING) return this.#stopping;
    if (this.#state !== ServerState.RUNNING) {
      return Promise.reject(this.#invalidState("stop()", "only a running server can be stopped"));
    }
    this.#state = ServerState.STOPPING;
    this.#stopping = this.#runStop();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === ServerState.STARTING) {
      this.#stopAfterStart = true;
      await this.#starting?.catch(() => {});
    }
    if (this.#state === ServerState.CREATED) {
      this.#shutdown.abort(shutdownReason());
      this.#throwFailures(await this.#release());
    } else if (this.#state === ServerState.RUNNING || this.#state === ServerState.STOPPING) {
      await this.stop();
    }
  }

  async #runStart(): Promise<void> {
    this.#installSignals();
    this.#events.emit(LifecycleEvent.START);
    try {
      const table = this.#runtime.freeze("start()");
      this.#hooks.seal();
      checkTransport(table, this.#options);
      await this.#runtime.attaching;
      if (this.#options.eventBus) {
        await this.#options.eventBus.start({ signal: this.#shutdown.signal });
        this.#isEventBusStarted = true;
      }
      this.#listener = new Listener(
        this.#options,
        createRequestHandler(
          this.#runtime.methods("start()").values(),
          this.#options,
          this.#events,
        ),
      );
      await this.#listener.listen();
    } catch (error) {
      this.#listener = undefined;
      this.#shutdown.abort(shutdownReason());
      for (const failure of await this.#release()) this.#events.report(failure, "shutdown");
      this.#events.report(error, "start");
      throw error;
    }
    this.#state = ServerState.RUNNING;
    this.#events.emit(LifecycleEvent.READY);
    if (this.#stopAfterStart) this.#stopInBackground();
  }

  async #runStop(): Promise<void> {
    this.#events.emit(LifecycleEvent.STOPPING);
    this.#drain = startDrain(
      {
        listener: this.#listener as Listener,
        localDoor: this[localDoorOf],
        calls: this.#runtime.calls,
        reason: shutdownReason(),
      },
      this.#options.shutdown,
      () => this.#shutdown.abort(shutdownReason()),
    );
    await this.#drain.done;
    this.#throwFailures(await this.#release());
  }

  /** Event bus, then hooks, under one time limit; ends in `stopped` whatever fails. */
  async #release(): Promise<unknown[]> {
    const failures: unknown[] = [];
    let limit: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, this.#options.shutdown.hookTimeoutMs);
    });
    if (this.#isEventBusStarted) {
      const failure = await Promise.race([this.#stopEventBus(), expired.then(eventBusTimeout)]);
      if (failure !== undefined) failures.push(failure);
    }
    failures.push(...(await this.#hooks.run(expired)));
    clearTimeout(limit);
    this.#clients.close(shutdownReason());
    this.#removeSignals();
    this.#state = ServerState.STOPPED;
    this.#events.emit(LifecycleEvent.STOP);
    return failures;
  }

  async #stopEventBus(): Promise<unknown> {
    this.#isEventBusStarted = false;
    try {
      await this.#options.eventBus?.stop();
      return undefined;
    } catch (error) {
      return error ?? new Error("event bus failed to stop");
    }
  }

  #throwFailures(failures: unknown[]): void {
    if (failures.length === 0) return;
    for (const failure of failures) this.#events.report(failure, "shutdown");
    throw new AggregateError(failures, `${failures.length} step(s) of the shutdown failed`);
  }

  #isMounted(typeName: string, asker: string): boolean {
    const { services } = this.#runtime.freeze(asker);
    return services.some((service) => service.typeName === typeName);
  }

  #localHost(): LocalHost {
    const server = this;
    return {
      get methods() {
        return server.#runtime.methods("a local call");
      },
      get attaching() {
        return server.#runtime.attaching;
      },
      get closedReason() {
        return server.#state === ServerState.STOPPED ? shutdownReason() : undefined;
      },
    };
  }

  #checkNotFrozen(call: string): void {
    const { frozenBy } = this.#runtime;
    if (frozenBy)
      throw this.#invalidState(call, `routes were frozen by ${frozenBy}; add before it`);
  }

  #invalidState(call: string, hint: string): ConnectumError {
    return new ConnectumError("INVALID_STATE", `${call} in state "${this.#state}": ${hint}`);
  }

  readonly #onSignal = (): void => {
    if (this.#state === ServerState.STARTING) this.#stopAfterStart = true;
    else if (this.#state === ServerState.RUNNING) this.#stopInBackground();
    else this.#drain?.force();
  };

  #stopInBackground(): void {
    // What failed was reported as `error` already.
    this.stop().catch(() => {});
  }

  #installSignals(): void {
    const { autoShutdown, signals } = this.#options.shutdown;
    if (!autoShutdown) return;
    for (const signal of signals) process.on(signal, this.#onSignal);
  }

  #removeSignals(): void {
    for (const signal of this.#options.shutdown.signals) process.off(signal, this.#onSignal);
  }
}

function shutdownReason(): ConnectError {
  return new ConnectError("server is shutting down", Code.Unavailable);
}

function eventBusTimeout(): ConnectumError {
  return new ConnectumError("HOOK_TIMEOUT", "the event bus did not stop within hookTimeoutMs");
}

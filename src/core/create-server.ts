import type { AddressInfo, Server as NetServer } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { checkInterceptor, checkProtocol, checkService } from "./check-parts.ts";
import { ClientRouter, type ServerClientOptions } from "./client/client-router.ts";
import type { ServiceDefinition, ServiceRoute } from "./define-service.ts";
import { ConnectumError } from "./errors.ts";
import { type LifecycleEvent, type LifecycleListener, ServerState } from "./lifecycle.ts";
import { LifecycleEvents } from "./lifecycle-events.ts";
import { Lifetime, shutdownReason } from "./lifetime.ts";
import { localDoorOf } from "./local/create-local-transport.ts";
import { LocalDoor, type LocalHost } from "./local/local-door.ts";
import type { CreateServerOptions, EventBusLike } from "./options.ts";
import type { ProtocolRegistration } from "./protocol.ts";
import { type ResolvedOptions, resolveOptions } from "./resolve-options.ts";
import { Runtime } from "./runtime.ts";
import type { Server } from "./server.ts";
import { type ShutdownHook, ShutdownHooks } from "./shutdown-hooks.ts";

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
  readonly #lifetime: Lifetime;

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
    this.#lifetime = new Lifetime({
      options: this.#options,
      events: this.#events,
      hooks: this.#hooks,
      shutdown: this.#shutdown,
      runtime: this.#runtime,
      localDoor: this[localDoorOf],
      clients: this.#clients,
    });
  }

  get state(): ServerState {
    return this.#lifetime.state;
  }

  get isRunning(): boolean {
    return this.state === ServerState.RUNNING;
  }

  get address(): AddressInfo | string | null {
    return this.#lifetime.listener?.front.address() ?? null;
  }

  get transport(): NetServer | null {
    return this.#lifetime.listener?.front ?? null;
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
    checkService("the argument of addService()", service);
    this.#options.services.push(service);
  }

  addInterceptor(interceptor: Interceptor): void {
    this.#checkNotFrozen("addInterceptor()");
    checkInterceptor("the argument of addInterceptor()", interceptor);
    this.#options.interceptors.push(interceptor);
  }

  addProtocol(protocol: ProtocolRegistration): void {
    this.#checkNotFrozen("addProtocol()");
    checkProtocol("the argument of addProtocol()", protocol);
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
    return this.#lifetime.start();
  }

  stop(): Promise<void> {
    return this.#lifetime.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#lifetime.dispose();
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
        server.#runtime.freeze("a local call");
        return server.#runtime.attaching;
      },
      get closedReason() {
        return server.state === ServerState.STOPPED ? shutdownReason() : undefined;
      },
    };
  }

  #checkNotFrozen(call: string): void {
    const { frozenBy } = this.#runtime;
    if (!frozenBy) return;
    throw new ConnectumError(
      "INVALID_STATE",
      `${call} in state "${this.state}": routes were frozen by ${frozenBy}; add before it`,
    );
  }
}

import type { AddressInfo, Server as NetServer } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import type { Client, Interceptor } from "@connectrpc/connect";
import type { ServerClientOptions } from "./client/client-router.ts";
import type { ServiceDefinition, ServiceRoute } from "./define-service.ts";
import type { LifecycleEvent, LifecycleListener, ServerState } from "./lifecycle.ts";
import type { EventBusLike } from "./options.ts";
import type { ProtocolRegistration } from "./protocol.ts";
import type { ShutdownHook } from "./shutdown-hooks.ts";

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

import type { Interceptor } from "@connectrpc/connect";
import { EnabledServices } from "./client/enabled-services.ts";
import { interceptorExtension } from "./extend-interceptor.ts";
import type { LifecycleEvents } from "./lifecycle-events.ts";
import type { ProtocolContext } from "./protocol.ts";
import type { ResolvedOptions } from "./resolve-options.ts";
import { freezeRoutes, type Registry, type RouteTable } from "./routes.ts";
import { CallRegistry } from "./rpc/call-registry.ts";
import { Method } from "./rpc/method.ts";

/** Routes, compiled once for every door of a server, whichever is used first. */
export class Runtime {
  readonly calls = new CallRegistry();
  readonly #options: ResolvedOptions;
  readonly #context: ProtocolContext;
  readonly #registry: Registry = { services: [], files: [] };
  #table: RouteTable | undefined;
  #methods: ReadonlyMap<string, Method> = new Map();
  #attaching: Promise<void> | undefined;
  /** The call that froze the routes; empty while they can still change. */
  frozenBy = "";

  constructor(options: ResolvedOptions, events: LifecycleEvents, shutdownSignal: AbortSignal) {
    this.#options = options;
    this.#context = {
      registry: this.#registry.files,
      services: this.#registry.services,
      shutdownSignal,
      logger: options.logger,
      on: (event, listener) => events.on(event, listener),
    };
  }

  /**
   * Settles when interceptors and protocols are attached to the frozen routes; undefined once they
   * are. Rejects with what one of them threw.
   */
  get attaching(): Promise<void> | undefined {
    return this.#attaching;
  }

  /** Freezes the routes at the first call. A route that cannot be mounted throws at every call. */
  freeze(by: string): RouteTable {
    if (this.#table) return this.#table;
    const { services, protocols, logger, enabledServices } = this.#options;
    this.frozenBy = by;
    this.#registry.services.length = 0;
    this.#registry.files.length = 0;
    const table = freezeRoutes(
      services,
      protocols,
      this.#options,
      new EnabledServices(enabledServices),
      this.#registry,
      this.#context,
    );
    const methods = new Map<string, Method>();
    for (const route of table.routes.values()) {
      methods.set(route.path, new Method(route, this.calls, logger));
    }
    this.#table = table;
    this.#methods = methods;
    this.#startAttaching(table);
    return table;
  }

  methods(by: string): ReadonlyMap<string, Method> {
    this.freeze(by);
    return this.#methods;
  }

  #startAttaching(table: RouteTable): void {
    const attaching = this.#attach(table).then(() => {
      this.#attaching = undefined;
    });
    // Whoever needs the attached routes awaits it and gets the error there.
    attaching.catch(() => {});
    this.#attaching = attaching;
  }

  async #attach({ routes, services }: RouteTable): Promise<void> {
    const { logger, protocols } = this.#options;
    const { shutdownSignal } = this.#context;
    const interceptors = new Set<Interceptor>();
    for (const { options } of routes.values()) {
      for (const interceptor of options.interceptors) interceptors.add(interceptor);
    }
    for (const interceptor of interceptors) {
      await interceptorExtension(interceptor)?.attach?.({ services, logger, shutdownSignal });
    }
    for (const protocol of protocols) await protocol.attach?.(this.#context);
  }
}

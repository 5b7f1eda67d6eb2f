import { Code, ConnectError } from "@connectrpc/connect";
import type { ClientRouter } from "./client/client-router.ts";
import { type Drain, startDrain } from "./drain.ts";
import { ConnectumError } from "./errors.ts";
import { EventBusRun } from "./event-bus-run.ts";
import { LifecycleEvent, ServerState } from "./lifecycle.ts";
import type { LifecycleEvents } from "./lifecycle-events.ts";
import { Listener } from "./listener.ts";
import type { LocalDoor } from "./local/local-door.ts";
import { createRequestHandler } from "./request-handler.ts";
import type { ResolvedOptions } from "./resolve-options.ts";
import type { Runtime } from "./runtime.ts";
import type { ShutdownHooks } from "./shutdown-hooks.ts";
import { StopSignals } from "./stop-signals.ts";
import { checkTransport } from "./transport-validation.ts";

/** What lives as long as its server. */
export interface ServerParts {
  readonly options: ResolvedOptions;
  readonly events: LifecycleEvents;
  readonly hooks: ShutdownHooks;
  readonly shutdown: AbortController;
  readonly runtime: Runtime;
  readonly localDoor: LocalDoor;
  readonly clients: ClientRouter;
}

/** From `created` to `stopped`: the order in which a server takes things, and lets them go. */
export class Lifetime {
  readonly #parts: ServerParts;
  readonly #eventBus: EventBusRun;
  readonly #signals: StopSignals;
  #state: ServerState = ServerState.CREATED;
  #listener: Listener | undefined;
  #drain: Drain | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #stopAfterStart = false;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#eventBus = new EventBusRun(parts.options.eventBus);
    this.#signals = new StopSignals(parts.options.shutdown, () => this.#onSignal());
  }

  get state(): ServerState {
    return this.#state;
  }

  get listener(): Listener | undefined {
    return this.#listener;
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
    return this.#beginStop(() => this.#runStop());
  }

  async dispose(): Promise<void> {
    // A start that fails lets go of everything itself.
    if (this.#starting) await this.#starting.catch(() => {});
    if (this.#state === ServerState.CREATED) await this.#beginStop(() => this.#runDispose());
    else if (this.#state !== ServerState.STOPPED) await this.stop();
  }

  /** The promise is there before anybody hears of the stop, who may call `stop()` as well. */
  #beginStop(run: () => Promise<void>): Promise<void> {
    this.#state = ServerState.STOPPING;
    let follow: (running: Promise<void>) => void = () => {};
    this.#stopping = new Promise((resolve) => {
      follow = resolve;
    });
    follow(run());
    return this.#stopping;
  }

  async #runStart(): Promise<void> {
    const { options, events, hooks, shutdown, runtime } = this.#parts;
    this.#signals.install();
    events.emit(LifecycleEvent.START);
    try {
      const table = runtime.freeze("start()");
      hooks.seal();
      checkTransport(table, options);
      await runtime.attaching;
      await this.#eventBus.start(shutdown.signal);
      const methods = runtime.methods("start()").values();
      this.#listener = new Listener(options, createRequestHandler(methods, options, events));
      await this.#listener.listen();
    } catch (error) {
      this.#listener = undefined;
      shutdown.abort(shutdownReason());
      for (const failure of await this.#release()) events.report(failure, "shutdown");
      events.report(error, "start");
      throw error;
    }
    this.#state = ServerState.RUNNING;
    events.emit(LifecycleEvent.READY);
    if (this.#stopAfterStart) this.#stopInBackground();
  }

  async #runStop(): Promise<void> {
    const { options, events, shutdown, runtime, localDoor } = this.#parts;
    events.emit(LifecycleEvent.STOPPING);
    this.#drain = startDrain(
      {
        listener: this.#listener as Listener,
        localDoor,
        calls: runtime.calls,
        reason: shutdownReason(),
      },
      options.shutdown,
      () => shutdown.abort(shutdownReason()),
    );
    await this.#drain.done;
    this.#throwFailures(await this.#release());
  }

  async #runDispose(): Promise<void> {
    this.#parts.shutdown.abort(shutdownReason());
    this.#throwFailures(await this.#release());
  }

  /** Event bus, then hooks, under one time limit; ends in `stopped` whatever fails. */
  async #release(): Promise<unknown[]> {
    const { options, events, hooks, clients } = this.#parts;
    let limit: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, options.shutdown.hookTimeoutMs);
    });
    const failures = [...(await this.#eventBus.stop(expired)), ...(await hooks.run(expired))];
    clearTimeout(limit);
    clients.close(shutdownReason());
    this.#signals.remove();
    this.#state = ServerState.STOPPED;
    events.emit(LifecycleEvent.STOP);
    return failures;
  }

  #throwFailures(failures: unknown[]): void {
    if (failures.length === 0) return;
    for (const failure of failures) this.#parts.events.report(failure, "shutdown");
    throw new AggregateError(failures, `${failures.length} step(s) of the shutdown failed`);
  }

  #onSignal(): void {
    if (this.#state === ServerState.STARTING) this.#stopAfterStart = true;
    else if (this.#state === ServerState.RUNNING) this.#stopInBackground();
    else this.#drain?.force();
  }

  #stopInBackground(): void {
    // What failed was reported as `error` already.
    this.stop().catch(() => {});
  }

  #invalidState(call: string, hint: string): ConnectumError {
    return new ConnectumError("INVALID_STATE", `${call} in state "${this.#state}": ${hint}`);
  }
}

export function shutdownReason(): ConnectError {
  return new ConnectError("server is shutting down", Code.Unavailable);
}

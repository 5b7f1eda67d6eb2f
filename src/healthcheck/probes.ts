import type { Logger } from "../core/index.ts";
import { checkFunction, checkInteger, checkKeys, checkMs } from "../core/internal.ts";
import { checkComponentName, type HealthcheckManager } from "./manager.ts";
import { ServingStatus } from "./status.ts";

/** An asynchronous probe of something the services depend on. */
export interface HealthProbe {
  /**
   * Passes unless it throws, rejects or resolves to `false`. The signal aborts after `timeoutMs` and
   * when the server stops.
   */
  readonly check: (signal: AbortSignal) => unknown;
  /** Pause between the end of a run and the next one, in milliseconds. Default 10 000. */
  readonly intervalMs?: number;
  /** How long a run may take before it counts as failed, in milliseconds. Default 2 000. */
  readonly timeoutMs?: number;
  /** Failures in a row that make the component NOT_SERVING; one success heals it. Default 3. */
  readonly failureThreshold?: number;
}

export type ResolvedProbe = Required<HealthProbe> & { readonly name: string };

/** Checks the options of named probes and fills in the defaults. */
export function resolveProbes(checks: Readonly<Record<string, HealthProbe>>): ResolvedProbe[] {
  return Object.entries(checks).map(([name, probe]) => {
    const where = `checks.${name}`;
    checkComponentName(name);
    checkKeys(where, probe, ["check", "intervalMs", "timeoutMs", "failureThreshold"]);
    const { check, intervalMs = 10_000, timeoutMs = 2_000, failureThreshold = 3 } = probe;
    checkFunction(`${where}.check`, check);
    checkMs(`${where}.intervalMs`, intervalMs, 1);
    checkMs(`${where}.timeoutMs`, timeoutMs, 1);
    checkInteger(`${where}.failureThreshold`, failureThreshold, 1, Number.MAX_SAFE_INTEGER);
    return { name, check: check.bind(probe), intervalMs, timeoutMs, failureThreshold };
  });
}

/**
 * Registers a component, runs its probe over and over and keeps it up to date. Before the first success, or
 * enough failures, the component is UNKNOWN. Its timers never keep the process alive.
 */
export class ProbeLoop {
  readonly #probe: ResolvedProbe;
  readonly #manager: HealthcheckManager;
  readonly #logger: Logger;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #run: AbortController | undefined;
  #isStopped = false;

  constructor(probe: ResolvedProbe, manager: HealthcheckManager, logger: Logger) {
    this.#probe = probe;
    this.#manager = manager;
    this.#logger = logger;
    manager.register(probe.name);
  }

  start(): void {
    void this.#runOnce();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#run?.abort(new Error("the server stops"));
  }

  /** Removes the component, unless somebody else has. */
  remove(): void {
    const { name } = this.#probe;
    if (this.#manager.getComponentStatuses().has(name)) this.#manager.unregister(name);
  }

  async #runOnce(): Promise<void> {
    if (this.#isStopped) return;
    const { check, timeoutMs, intervalMs } = this.#probe;
    const run = new AbortController();
    this.#run = run;
    const aborted = new Promise<never>((_, reject) => {
      run.signal.addEventListener("abort", () => reject(run.signal.reason));
    });
    this.#schedule(timeoutMs, () => run.abort(new Error(`no answer within ${timeoutMs} ms`)));
    const outcome = await Promise.race([Promise.resolve(run.signal).then(check), aborted]).then(
      (result) => (result === false ? new Error("the check returned false") : undefined),
      (error) => error ?? new Error("the check failed"),
    );
    if (this.#isStopped) return;
    this.#report(outcome);
    this.#schedule(intervalMs, () => void this.#runOnce());
  }

  #schedule(delayMs: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, delayMs);
    this.#timer.unref();
  }

  #report(error: unknown): void {
    const { name, failureThreshold } = this.#probe;
    const component = name;
    if (error === undefined) {
      if (this.#failures >= failureThreshold) {
        this.#logger.info({ component }, "health check passes again");
      }
      this.#failures = 0;
      this.#set(ServingStatus.SERVING);
      return;
    }
    this.#failures++;
    this.#logger.warn({ err: error, component, failures: this.#failures }, "health check failed");
    if (this.#failures >= failureThreshold) this.#set(ServingStatus.NOT_SERVING);
  }

  #set(status: ServingStatus): void {
    try {
      this.#manager.set(this.#probe.name, status);
    } catch (error) {
      // A listener of the manager threw, or somebody has unregistered the component.
      this.#logger.error(
        { err: error, component: this.#probe.name },
        "health status not announced",
      );
    }
  }
}

import assert from "node:assert/strict";
import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import { type CreateServerOptions, defineService } from "connectum/core";
import {
  type Compare,
  defaultCompare,
  type Outcome,
  type Outcomes,
  transportParityTest,
} from "connectum/testing/parity";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { outcomeOf } from "./outcome.ts";

export interface Scenario<T extends DescService = typeof ScriptService> {
  readonly service?: Partial<ServiceImpl<T>>;
  readonly interceptors?: readonly Interceptor[];
  readonly options?: Partial<CreateServerOptions>;
  /** What the caller gets. A throw is an outcome as well. */
  readonly call: (client: Client<T>) => Promise<unknown>;
  /** What the log must be everywhere, so that equal wrong answers fail, too. */
  readonly expect?: readonly unknown[];
  /** Entries of `log` the scenario ends with, where some come after the caller has its answer. */
  readonly logged?: number;
  /** HTTP/1.1 cannot carry it. */
  readonly isFullDuplex?: boolean;
  /**
   * One side ends the call while the other is at it. How far that came is luck, so that spans and metrics
   * are not compared.
   */
  readonly isCutShort?: boolean;
  /** A call may fail before anything is sent, in the words of each client: calls are not compared. */
  readonly isRefusedByClient?: boolean;
}

/** `log` keeps what the server side saw; it is compared, too. */
export type ScenarioFactory<T extends DescService = typeof ScriptService> = (
  log: (entry: unknown) => void,
) => Scenario<T>;

/** A scenario with ScriptService, see {@link parityOf}. */
export function parity(name: string, create: ScenarioFactory): void {
  parityOf(ScriptService, name, create);
}

/**
 * Runs a scenario twice: as a traced and measured server answers it over HTTP/2 and in process, and as a
 * bare one does, over HTTP/1.1 and through `server.client()` as well.
 */
export function parityOf<T extends DescService>(
  desc: T,
  name: string,
  create: ScenarioFactory<T>,
): void {
  const traced = prepare(desc, create);
  transportParityTest(name, {
    ...traced.options,
    compare: traced.compare,
    scenario: ({ transport }) => traced.run(createClient(desc, transport)),
  });
  const bare = prepare(desc, create);
  const http1 = bare.isFullDuplex ? [] : (["connectHttp1", "grpcWebHttp1"] as const);
  transportParityTest(`${name}, of a bare server`, {
    ...bare.options,
    telemetry: false,
    transports: ["grpc", ...http1, "local"],
    compare: (outcomes) => bare.compare(withCallsOfReference(outcomes, "local")),
    scenario({ transport, transportKind, server }) {
      // The driver cannot look into a client that is no transport's.
      const isLocal = transportKind === "local";
      return bare.run(isLocal ? server.client(desc) : createClient(desc, transport));
    },
  });
}

function prepare<T extends DescService>(desc: T, create: ScenarioFactory<T>) {
  const log = new Log();
  const scenario = create((entry) => log.add(entry));
  const { service = {}, interceptors = [], options, call, logged = 0 } = scenario;
  const compare: Compare = (outcomes) => {
    let seen = outcomes;
    if (scenario.isRefusedByClient) seen = withCallsOfReference(seen, ...seen.keys());
    if (scenario.isCutShort)
      seen = mapOutcomes(seen, (one) => ({ ...one, spans: [], metrics: [] }));
    defaultCompare(seen);
    if (!scenario.expect) return;
    for (const [kind, { result }] of seen) {
      assert.deepEqual((result as { log: unknown }).log, scenario.expect, kind);
    }
  };
  return {
    options: {
      services: [defineService(desc, service)],
      interceptors,
      shutdown: { timeout: 200 },
      timeoutMs: 20_000,
      ...options,
    },
    isFullDuplex: scenario.isFullDuplex,
    compare,
    async run(client: Client<T>) {
      log.clear();
      return { outcome: await outcomeOf(call(client)), log: await log.atLeast(logged) };
    },
  };
}

function mapOutcomes(
  outcomes: Outcomes,
  change: (outcome: Outcome, kind: string) => Outcome,
): Outcomes {
  return new Map([...outcomes].map(([kind, outcome]) => [kind, change(outcome, kind)]));
}

function withCallsOfReference(outcomes: Outcomes, ...kinds: string[]): Outcomes {
  const [reference] = outcomes.values();
  const calls = reference?.calls ?? [];
  return mapOutcomes(outcomes, (outcome, kind) =>
    kinds.includes(kind) ? { ...outcome, calls } : outcome,
  );
}

class Log {
  #entries: unknown[] = [];
  #onEntry = () => {};

  add(entry: unknown): void {
    this.#entries.push(entry);
    this.#onEntry();
  }

  /** The server before has stopped, so that nothing of it comes late. */
  clear(): void {
    this.#entries = [];
  }

  /** All entries, as soon as there are so many; a scenario that never has them runs into its timeout. */
  async atLeast(count: number): Promise<unknown[]> {
    while (this.#entries.length < count) {
      await new Promise<void>((resolve) => {
        this.#onEntry = resolve;
      });
    }
    return [...this.#entries];
  }
}

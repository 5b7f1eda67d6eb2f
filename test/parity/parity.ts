import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createClient, type Interceptor } from "@connectrpc/connect";
import {
  type CreateServerOptions,
  createLocalTransport,
  createServer,
  defineService,
  type Server,
} from "connectum/core";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { createTransport, grid } from "../support/transports.ts";
import { outcomeOf, type ScriptClient, type ScriptImpl } from "./outcome.ts";

export interface Scenario {
  readonly service?: ScriptImpl;
  readonly interceptors?: Interceptor[];
  readonly options?: Partial<CreateServerOptions>;
  /** What the caller gets, in values that can be compared. A throw is an outcome as well. */
  readonly call: (client: ScriptClient) => Promise<unknown>;
  /** Entries of `log` the scenario ends with, where some come after the caller has its answer. */
  readonly logged?: number;
  /** HTTP/1.1 cannot carry it. */
  readonly isFullDuplex?: boolean;
}

/** `log` keeps what the server side saw; it is compared, too. */
export type ScenarioFactory = (log: (entry: unknown) => void) => Scenario;

const ways = [...grid, "in process", "server.client()"] as const;
type Way = (typeof ways)[number];
const oracle: Way = "gRPC h2";

/** One test: the scenario over every network transport and both in-process ones; all outcomes are equal. */
export function parity(name: string, create: ScenarioFactory): void {
  test(name, { timeout: 20_000 }, async () => {
    const outcomes = await Promise.all(ways.map((way) => observe(way, create)));
    const expected = outcomes[ways.indexOf(oracle)];
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome) assert.deepEqual(outcome, expected, `${ways[index]} differs from ${oracle}`);
    }
  });
}

async function observe(way: Way, create: ScenarioFactory): Promise<unknown> {
  const log = new Log();
  const scenario = create((entry) => log.add(entry));
  if (scenario.isFullDuplex && way.endsWith("h1")) return undefined;
  const { service = {}, interceptors, options } = scenario;
  const isShared = !interceptors && !options;
  const client = isShared
    ? await openShared(way, service)
    : await open(way, service, { interceptors, ...options });
  const outcome = await outcomeOf(scenario.call(client));
  return { outcome, log: await log.atLeast(scenario.logged ?? 0) };
}

const running: Server[] = [];

after(() => Promise.all(running.map((server) => server.stop())));

/** An outgoing interceptor that changes nothing, so that the way around the door is compared, too. */
const outgoing: Interceptor = (next) => (request) => next(request);

async function open(
  way: Way,
  service: ScriptImpl,
  options: Partial<CreateServerOptions>,
): Promise<ScriptClient> {
  const server = createServer({
    services: [defineService(ScriptService, service)],
    host: "127.0.0.1",
    port: 0,
    outgoingInterceptors: [outgoing],
    shutdown: { timeout: 200 },
    ...options,
  });
  if (way === "server.client()") return server.client(ScriptService);
  if (way === "in process") return createClient(ScriptService, createLocalTransport(server));
  await server.start();
  running.push(server);
  const { port } = server.address as { port: number };
  return createClient(ScriptService, createTransport(way, `http://127.0.0.1:${port}`));
}

const services: ScriptImpl[] = [];
const shared = new Map<Way, Promise<ScriptClient>>();

/** Most scenarios share a server for each way. It calls the functions of the scenario that a header names. */
async function openShared(way: Way, service: ScriptImpl): Promise<ScriptClient> {
  if (!shared.has(way)) shared.set(way, open(way, relay, {}));
  const client = (await shared.get(way)) as ScriptClient;
  const index = String(services.push(service) - 1);
  const named = Object.entries(client).map(([method, call]) => [
    method,
    (input: never, { headers = {}, ...options }: { headers?: HeadersInit } = {}) => {
      const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
      const withIndex = [["scenario", index], ...entries];
      return (call as (...args: unknown[]) => unknown)(input, { ...options, headers: withIndex });
    },
  ]);
  return Object.fromEntries(named) as ScriptClient;
}

const relay = Object.fromEntries(
  (["once", "look", "download", "upload", "talk"] as const).map((method) => [
    method,
    (input: never, context: never) => {
      const { requestHeader } = context as { requestHeader: Headers };
      const service = services[Number(requestHeader.get("scenario"))] ?? {};
      return (service[method] as (...call: never[]) => unknown)(input, context);
    },
  ]),
) as ScriptImpl;

class Log {
  readonly #entries: unknown[] = [];
  #onEntry = () => {};

  add(entry: unknown): void {
    this.#entries.push(entry);
    this.#onEntry();
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

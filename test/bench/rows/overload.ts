import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Health } from "../../../src/healthcheck/gen/grpc/health/v1/health_pb.js";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";
import { type Ended, openLoad, quantile } from "../open-load.ts";
import { Peer } from "../peer.ts";
import type { Bench, Comparison, Figure, Row, RowResult, Target } from "../row.ts";
import { CAPACITY_PER_SECOND } from "../servers/overload-capacity.ts";
import { spreadOf } from "../statistics.ts";

const WATCHERS = 2_000;
const QUICK_WATCHERS = 200;
const DEADLINE_MS = 5_000;
/** Between a deadline and the answer that says so, on a busy machine. */
const LATE_MS = 500;
const modes = ["bounded", "defaults", "none"] as const;
type Mode = (typeof modes)[number];

export const overload: Row = {
  id: "OVERLOAD",
  what: "three times the load that the handlers can do, with 2000 watchers of health",
  needs: [],
  run,
};

interface Measured {
  readonly calm: readonly Ended[];
  readonly storm: readonly Ended[];
  /** Handlers that have run in the storm. */
  readonly entered: number;
  readonly checks: readonly Ended[];
  readonly rssGrowth: number;
}

async function run(bench: Bench): Promise<RowResult> {
  const results = {} as Record<Mode, Measured>;
  for (const mode of modes) {
    results[mode] = await measure(bench, mode);
    bench.note(mode);
  }
  const { bounded, defaults, none } = results;
  const accepted = latencies(bounded.storm);
  const refused = bounded.storm.filter(({ code }) => code === Code.ResourceExhausted).length;
  return {
    comparisons: [
      once(
        "bulkhead of the handlers' size: p99 of accepted calls / p99 without load",
        quantile(accepted, 0.99) / quantile(latencies(bounded.calm), 0.99),
        { atMost: 3 },
      ),
      once(
        "bulkhead of the handlers' size: handlers run / calls accepted",
        bounded.entered / (bounded.storm.length - refused),
        { atMost: 1 },
      ),
      once("defaults: calls ended by their deadline", endedInTime(defaults.storm), { atLeast: 1 }),
      once("bulkhead of the handlers' size: Check answered", answered(bounded.checks), {
        atLeast: 1,
      }),
      once("defaults: Check answered", answered(defaults.checks), { atLeast: 1 }),
      once("no chain: median of the last quarter / of the first", growth(none.storm)),
    ],
    figures: [
      figure("accepted with a bulkhead of the handlers' size", accepted.length, "calls"),
      figure("refused with it", refused, "calls"),
      ...modes.flatMap((mode) => [
        figure(`${mode}: p99`, quantile(latencies(results[mode].storm), 0.99), "ms"),
        figure(`${mode}: p99 of Check`, quantile(latencies(results[mode].checks), 0.99), "ms"),
        figure(`${mode}: growth of RSS`, results[mode].rssGrowth / 1024 / 1024, "MiB"),
      ]),
    ],
  };
}

async function measure(bench: Bench, mode: Mode): Promise<Measured> {
  const spec = { script: "overload", args: [mode], flags: ["--expose-gc"] };
  const peer = await Peer.start(bench.node, bench.workspace.script("overload"), spec);
  const baseUrl = `http://${peer.address}`;
  // Clients that give up all at once on one connection would be taken for a flood.
  const sessions = Array.from({ length: 8 }, () => new Http2SessionManager(baseUrl));
  const transports = sessions.map((sessionManager) =>
    createGrpcTransport({ baseUrl, sessionManager }),
  );
  const clients = transports.slice(0, 4).map((transport) => createClient(EchoService, transport));
  const probes = transports.slice(4).map((transport) => createClient(Health, transport));
  const pick = <T>(list: readonly T[], index: number) => list[index % list.length] as T;
  let turn = 0;
  const call = () => pick(clients, turn++).echo({ text: "text" }, { timeoutMs: DEADLINE_MS });
  const entered = async () => {
    for await (const { text } of pick(clients, 0).repeat({})) return Number(text);
    return Number.NaN;
  };
  try {
    const watchers = bench.isQuick ? QUICK_WATCHERS : WATCHERS;
    const watching = Array.from({ length: watchers }, (_, index) =>
      pick(probes, index).watch({})[Symbol.asyncIterator]().next(),
    );
    await Promise.all(watching);
    const seconds = bench.isQuick ? 3 : 8;
    const calm = await openLoad(call, CAPACITY_PER_SECOND * 0.3, seconds / 2);
    const [before, memory] = [await entered(), await peer.memory()];
    const [storm, checks] = await Promise.all([
      openLoad(call, CAPACITY_PER_SECOND * 3, seconds),
      openLoad(() => pick(probes, 0).check({}, { timeoutMs: DEADLINE_MS }), 20, seconds),
    ]);
    const rssGrowth = (await peer.memory()).rss - memory.rss;
    return { calm, storm, entered: (await entered()) - before, checks, rssGrowth };
  } finally {
    for (const session of sessions) session.abort();
    await peer.stop();
  }
}

function latencies(calls: readonly Ended[]): number[] {
  return calls.filter(({ code }) => code === undefined).map(({ latencyMs }) => latencyMs);
}

function answered(calls: readonly Ended[]): number {
  return latencies(calls).length / calls.length;
}

function endedInTime(calls: readonly Ended[]): number {
  const inTime = calls.filter(({ latencyMs }) => latencyMs <= DEADLINE_MS + LATE_MS);
  return inTime.length / calls.length;
}

function growth(calls: readonly Ended[]): number {
  const sorted = [...calls].sort((a, b) => a.startedMs - b.startedMs);
  const quarter = Math.floor(sorted.length / 4);
  const median = (part: readonly Ended[]) =>
    quantile(
      part.map(({ latencyMs }) => latencyMs),
      0.5,
    );
  return median(sorted.slice(-quarter)) / median(sorted.slice(0, quarter));
}

function once(what: string, value: number, target?: Target): Comparison {
  return { what, ratio: spreadOf([value]), rounds: [value], target };
}

function figure(what: string, value: number, unit: string): Figure {
  return { what, value: spreadOf([value]), unit };
}

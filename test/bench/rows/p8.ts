import { type GrpcGoResult, grpcGo } from "../loads.ts";
import { Peer, type PeerSpec } from "../peer.ts";
import type { Bench, Comparison, Row, RowResult, Target } from "../row.ts";
import { shuffled, spreadOf } from "../statistics.ts";

const specs = {
  connectum: { script: "connectum" },
  "grpc-js": { script: "grpc-js" },
  raw: { script: "raw-http2" },
} satisfies Record<string, PeerSpec>;
type Name = keyof typeof specs;
const names = Object.keys(specs) as Name[];
type Latency = "p50Ms" | "p99Ms" | "maxMs";

/** One slice, in which every peer had its turn: what disturbs the machine for a while disturbs all. */
type Slice = Readonly<Record<Name, GrpcGoResult>>;

/** Long enough for its p99 to be more than a few calls. */
const MIN_SLICE_SECONDS = 0.3;

export const p8: Row = {
  id: "P8",
  what: "latency of gRPC unary calls at half of grpc-js' saturation rate",
  needs: ["load"],
  run,
};

async function run(bench: Bench): Promise<RowResult> {
  const peers = {} as Record<Name, Peer>;
  const rounds: Slice[][] = [];
  try {
    for (const name of names) {
      const { script } = specs[name];
      peers[name] = await Peer.start(bench.node, bench.workspace.script(script), specs[name]);
      await grpcGo({ mode: "unary" }, peers[name], bench.warmUpSeconds, bench.payloads);
    }
    const saturated = await grpcGo({ mode: "unary" }, peers["grpc-js"], 2, bench.payloads);
    const rate = saturated.calls / saturated.seconds / 2;
    bench.note(`grpc-js is saturated at ${Math.round(rate * 2)} calls per second`);
    for (let number = 1; number <= bench.rounds; number++) {
      const slices: Slice[] = [];
      const deadline = performance.now() + bench.maxRoundSeconds * 1000;
      for (let slice = 0; slice < bench.slices; slice++) {
        if (slice >= 3 && performance.now() > deadline) break;
        slices.push(await runSlice(bench, peers, rate));
      }
      rounds.push(slices);
      bench.note(`round ${number} of ${bench.rounds}`);
    }
  } finally {
    for (const peer of Object.values(peers)) await peer.stop();
  }
  return {
    comparisons: [
      compare("connectum", "grpc-js", "p99Ms", rounds, { atMost: 1 }),
      compare("connectum", "grpc-js", "p50Ms", rounds),
      compare("raw", "grpc-js", "p99Ms", rounds),
    ],
    figures: names.flatMap((name) =>
      (["p50Ms", "p99Ms", "maxMs"] as const).map((key) => ({
        what: `${name}, ${key.slice(0, -2)}`,
        value: spreadOf(rounds.map((slices) => medianOf(slices, name, key))),
        unit: "ms",
      })),
    ),
  };
}

async function runSlice(bench: Bench, peers: Record<Name, Peer>, rate: number): Promise<Slice> {
  const seconds = Math.max(bench.sliceSeconds, MIN_SLICE_SECONDS);
  const results = {} as Record<Name, GrpcGoResult>;
  for (const name of shuffled(names)) {
    results[name] = await grpcGo({ mode: "paced", rate }, peers[name], seconds, bench.payloads);
  }
  return results;
}

function medianOf(slices: readonly Slice[], name: Name, key: Latency): number {
  return spreadOf(slices.map((slice) => slice[name][key])).median;
}

/** One ratio per round, of the medians over its slices. */
function compare(
  of: Name,
  to: Name,
  key: Latency,
  rounds: readonly Slice[][],
  target?: Target,
): Comparison {
  const ratios = rounds.map((slices) => medianOf(slices, of, key) / medianOf(slices, to, key));
  const what = `${of} / ${to}, ${key.slice(0, -2)} latency`;
  return { what, ratio: spreadOf(ratios), rounds: ratios, target };
}

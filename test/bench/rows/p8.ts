import { type GrpcGoResult, grpcGo } from "../loads.ts";
import { Peer, type PeerSpec } from "../peer.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { shuffled, spreadOf } from "../statistics.ts";

const specs: Record<"connectum" | "grpc-js", PeerSpec> = {
  connectum: { script: "connectum" },
  "grpc-js": { script: "grpc-js" },
};
type Name = keyof typeof specs;
const names = Object.keys(specs) as Name[];

export const p8: Row = {
  id: "P8",
  what: "latency of gRPC unary calls at half of grpc-js' saturation rate",
  needs: ["load"],
  run,
};

async function run(bench: Bench): Promise<RowResult> {
  const { payloads } = bench;
  const seconds = bench.isQuick ? 1 : 4;
  const peers = {} as Record<Name, Peer>;
  const results: Record<Name, GrpcGoResult[]> = { connectum: [], "grpc-js": [] };
  try {
    for (const name of names) {
      const { script } = specs[name];
      peers[name] = await Peer.start(bench.node, bench.workspace.script(script), specs[name]);
      await grpcGo({ mode: "unary" }, peers[name], bench.warmUpSeconds, payloads);
    }
    const saturated = await grpcGo({ mode: "unary" }, peers["grpc-js"], seconds, payloads);
    const rate = saturated.calls / saturated.seconds / 2;
    bench.note(`grpc-js is saturated at ${Math.round(rate * 2)} calls per second`);
    for (let round = 0; round < bench.rounds; round++) {
      for (const name of shuffled(names)) {
        const paced = { mode: "paced", rate } as const;
        results[name].push(await grpcGo(paced, peers[name], seconds, payloads));
      }
      bench.note(`round ${round + 1} of ${bench.rounds}`);
    }
  } finally {
    for (const peer of Object.values(peers)) await peer.stop();
  }
  return {
    comparisons: [compare("p99Ms", 1, results), compare("p50Ms", undefined, results)],
    figures: names.flatMap((name) =>
      (["p50Ms", "p99Ms", "maxMs"] as const).map((key) => ({
        what: `${name}, ${key.slice(0, -2)}`,
        value: spreadOf(results[name].map((result) => result[key])),
        unit: "ms",
      })),
    ),
  };
}

function compare(
  key: "p50Ms" | "p99Ms",
  atMost: number | undefined,
  results: Record<Name, GrpcGoResult[]>,
) {
  const rounds = results.connectum.map(
    (ours, round) => ours[key] / (results["grpc-js"][round] as GrpcGoResult)[key],
  );
  return {
    what: `connectum / grpc-js, ${key.slice(0, -2)} latency`,
    ratio: spreadOf(rounds),
    rounds,
    target: atMost === undefined ? undefined : { atMost },
  };
}

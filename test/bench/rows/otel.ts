import { grpcUnary } from "../loads.ts";
import { throughputRow } from "../throughput.ts";

const load = grpcUnary("frame");

const contender = (mode: string) => ({ peer: { script: "otel", args: [mode] }, load });

/** What watching costs: nothing without an SDK, little with 1 % of the traces and all metrics. */
export const otel = throughputRow({
  id: "OTEL",
  what: "gRPC unary over h2c, 35 bytes, with connectum/otel",
  needs: ["h2load"],
  unit: "calls",
  contenders: {
    without: contender("none"),
    "no SDK": contender("no-sdk"),
    "1 % sampled, metrics": contender("sampled"),
    raw: { peer: { script: "raw-http2" }, load },
  },
  compare: [
    { of: "no SDK", to: "without", target: { atLeast: 0.95 } },
    { of: "1 % sampled, metrics", to: "without" },
    { of: "1 % sampled, metrics", to: "raw", target: { atLeast: 0.45 } },
  ],
});

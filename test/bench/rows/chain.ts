import { grpcUnary, inProcess } from "../loads.ts";
import { singleNames } from "../servers/chains.ts";
import { throughputRow } from "../throughput.ts";

const load = grpcUnary("frame");
const network = (chain: string) => ({
  peer: { script: "connectum-chain", args: [chain] },
  load,
});
const local = (chain: string) => ({
  peer: { script: "in-process", args: ["connectum", "unary", chain] },
  load: inProcess,
});

export const chain = throughputRow({
  id: "CHAIN",
  what: "gRPC unary over h2c, 35 bytes, with the default interceptor chain",
  needs: ["h2load"],
  unit: "calls",
  contenders: {
    raw: { peer: { script: "raw-http2" }, load },
    connectum: network("chain"),
    "connectum, no chain": network("none"),
    "connect-node, no chain": { peer: { script: "connect-node-http2" }, load },
  },
  compare: [
    { of: "connectum", to: "raw", target: { atLeast: 0.6 } },
    { of: "connectum", to: "connectum, no chain" },
    { of: "connectum", to: "connect-node, no chain" },
  ],
});

/** What each interceptor adds to a call in process, where nothing else hides it. */
export const each = throughputRow({
  id: "EACH",
  what: "in-process unary, one interceptor at a time",
  needs: [],
  unit: "calls",
  contenders: Object.fromEntries(
    ["none", "pass", ...singleNames, "chain"].map((name) => [name, local(name)]),
  ),
  compare: ["pass", ...singleNames, "chain"].map((of) => ({ of, to: "none", isCost: true })),
});

import { grpcUnary } from "../loads.ts";
import { throughputRow } from "../throughput.ts";

const load = grpcUnary("largeFrame", 4, 4);

export const p10 = throughputRow({
  id: "P10",
  what: "gRPC unary over h2c, 1 MiB both ways",
  needs: ["h2load"],
  unit: "calls",
  contenders: {
    raw: { peer: { script: "raw-http2" }, load },
    connectum: { peer: { script: "connectum" }, load },
    "grpc-js": { peer: { script: "grpc-js" }, load },
    "connect-node": { peer: { script: "connect-node-http2" }, load },
  },
  compare: [
    { of: "connectum", to: "raw", target: { atLeast: 0.85 } },
    { of: "connectum", to: "grpc-js" },
    { of: "connectum", to: "connect-node" },
  ],
});

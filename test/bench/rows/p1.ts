import { grpcUnary } from "../loads.ts";
import { throughputRow } from "../throughput.ts";

const load = grpcUnary("frame");

export const p1 = throughputRow({
  id: "P1",
  what: "gRPC unary over h2c, 35 bytes, no interceptors",
  needs: ["h2load"],
  unit: "calls",
  contenders: {
    raw: { peer: { script: "raw-http2" }, load },
    connectum: { peer: { script: "connectum" }, load },
    "grpc-js": { peer: { script: "grpc-js" }, load },
    "connect-node": { peer: { script: "connect-node-http2" }, load },
  },
  compare: [
    { of: "connectum", to: "raw", target: { atLeast: 0.88 } },
    { of: "connectum", to: "grpc-js", target: { atLeast: 1.25 } },
    { of: "connectum", to: "connect-node", target: { atLeast: 6 } },
  ],
});

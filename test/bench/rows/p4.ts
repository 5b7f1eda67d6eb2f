import { grpcGoLoad } from "../loads.ts";
import { throughputRow } from "../throughput.ts";

const load = grpcGoLoad({ mode: "stream" });

export const p4 = throughputRow({
  id: "P4",
  what: "gRPC server stream, 100 messages a call",
  needs: ["load"],
  unit: "messages",
  contenders: {
    raw: { peer: { script: "raw-http2" }, load },
    connectum: { peer: { script: "connectum" }, load },
    "grpc-js": { peer: { script: "grpc-js" }, load },
    "connect-node": { peer: { script: "connect-node-http2" }, load },
  },
  compare: [
    { of: "connectum", to: "raw", target: { atLeast: 0.8 } },
    { of: "connectum", to: "grpc-js", target: { atLeast: 2.5 } },
    { of: "connectum", to: "connect-node", target: { atLeast: 5.5 } },
  ],
});

import { grpcGoLoad } from "../loads.ts";
import { throughputRow } from "../throughput.ts";

const load = grpcGoLoad({ mode: "pingpong", connections: 8, streams: 1 });

export const p5 = throughputRow({
  id: "P5",
  what: "gRPC bidi ping-pong, one message in flight, 8 connections",
  needs: ["load"],
  unit: "messages",
  contenders: {
    raw: { peer: { script: "raw-http2" }, load },
    connectum: { peer: { script: "connectum" }, load },
    "grpc-js": { peer: { script: "grpc-js" }, load },
    "connect-node": { peer: { script: "connect-node-http2" }, load },
  },
  compare: [
    { of: "connectum", to: "grpc-js", target: { atLeast: 1 } },
    { of: "connectum", to: "raw" },
    { of: "connectum", to: "connect-node" },
  ],
});

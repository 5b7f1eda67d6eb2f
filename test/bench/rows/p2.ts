import { connectUnary } from "../loads.ts";
import { throughputRow } from "../throughput.ts";

const json = connectUnary("json");
const binary = connectUnary("message");

export const p2 = throughputRow({
  id: "P2",
  what: "Connect unary over HTTP/1.1, 35 bytes, JSON and binary",
  needs: ["wrk"],
  unit: "calls",
  contenders: {
    raw: { peer: { script: "raw-http1" }, load: json },
    connectum: { peer: { script: "connectum" }, load: json },
    "connect-node": { peer: { script: "connect-node-http1" }, load: json },
    fastify: { peer: { script: "fastify" }, load: json },
    "raw, binary": { peer: { script: "raw-http1" }, load: binary },
    "connectum, binary": { peer: { script: "connectum" }, load: binary },
    "connect-node, binary": { peer: { script: "connect-node-http1" }, load: binary },
  },
  compare: [
    { of: "connectum", to: "raw", target: { atLeast: 0.8 } },
    { of: "connectum", to: "connect-node", target: { atLeast: 4 } },
    { of: "connectum", to: "fastify", target: { atLeast: 1 } },
    { of: "connectum, binary", to: "raw, binary", target: { atLeast: 0.8 } },
    { of: "connectum, binary", to: "connect-node, binary", target: { atLeast: 4 } },
  ],
});

import { inProcess } from "../loads.ts";
import { throughputRow } from "../throughput.ts";

const contender = (transport: string) => ({
  peer: { script: "in-process", args: [transport, "stream"] },
  load: inProcess,
});

export const p7 = throughputRow({
  id: "P7",
  what: "in-process server stream, 100 messages a call",
  needs: [],
  unit: "calls",
  contenders: {
    floor: contender("floor"),
    connectum: contender("connectum"),
    createRouterTransport: contender("router"),
  },
  compare: [
    { of: "connectum", to: "floor", target: { atMost: 1.1 }, isCost: true },
    { of: "connectum", to: "createRouterTransport", target: { atLeast: 12 } },
  ],
});

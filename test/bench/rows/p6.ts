import { inProcess } from "../loads.ts";
import { throughputRow } from "../throughput.ts";

const contender = (transport: string) => ({
  peer: { script: "in-process", args: [transport, "unary"] },
  load: inProcess,
});

export const p6 = throughputRow({
  id: "P6",
  what: "in-process unary, no interceptors",
  needs: [],
  unit: "calls",
  contenders: {
    floor: contender("floor"),
    connectum: contender("connectum"),
    createRouterTransport: contender("router"),
  },
  compare: [
    { of: "connectum", to: "floor", target: { atMost: 2.5 }, isCost: true },
    { of: "connectum", to: "createRouterTransport", target: { atLeast: 35 } },
  ],
});

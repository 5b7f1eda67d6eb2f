import { inProcess } from "../loads.ts";
import { throughputRow } from "../throughput.ts";

const contender = (transport: string, chain = "none") => ({
  peer: { script: "in-process", args: [transport, "unary", chain] },
  load: inProcess,
});

export const p6 = throughputRow({
  id: "P6",
  what: "in-process unary, without interceptors and with the default chain",
  needs: [],
  unit: "calls",
  contenders: {
    floor: contender("floor"),
    connectum: contender("connectum"),
    createRouterTransport: contender("router"),
    "connectum with the chain": contender("connectum", "chain"),
    "createRouterTransport with the chain": contender("router", "chain"),
  },
  compare: [
    { of: "connectum", to: "floor", target: { atMost: 2.5 }, isCost: true },
    { of: "connectum", to: "createRouterTransport", target: { atLeast: 35 } },
    {
      of: "connectum with the chain",
      to: "createRouterTransport with the chain",
      target: { atLeast: 10 },
    },
  ],
});

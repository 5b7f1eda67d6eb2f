import type { ServiceImpl } from "@connectrpc/connect";
import type { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";

/** What every peer with a connect-es router serves. */
export const echoService: ServiceImpl<typeof EchoService> = {
  echo({ text, payload }) {
    return { text, payload };
  },

  async *repeat({ text, count }) {
    for (let index = 0; index < count; index++) yield { text };
  },

  async *converse(requests) {
    for await (const { text } of requests) yield { text };
  },
};

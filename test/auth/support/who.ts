import { setTimeout as later, setImmediate as turn } from "node:timers/promises";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { type AuthContext, getAuthContext } from "connectum/auth";
import type { WhoService } from "../gen/who/v1/who_pb.js";

/** Answers with the caller's identity, taken after waits of different kinds. */
export const who: ServiceImpl<typeof WhoService> = {
  ask: async (_, context) => {
    await turn();
    return identify(context);
  },
  change: (_, context) => identify(context),
  async *follow(_, context) {
    yield identify(context);
    await later(1);
    yield identify(context);
    await turn();
    yield identify(context);
  },
  async collect(requests, context) {
    for await (const _ of requests) await turn();
    return identify(context);
  },
  async *converse(requests, context) {
    for await (const _ of requests) {
      await turn();
      yield identify(context);
    }
  },
};

function identify(context: HandlerContext) {
  return {
    subject: nameOf(getAuthContext(context)),
    ambient: nameOf(getAuthContext()),
    header: Object.fromEntries(context.requestHeader),
  };
}

function nameOf(auth: AuthContext | undefined): string {
  return auth?.subject ?? "nobody";
}

import { EventEmitter } from "node:events";
import { Code, type ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { aborted } from "./outcome.ts";

/** Handlers that wait for their signal, log how it ends, and tell `events` when they wait. */
export function waiting(
  log: (entry: unknown) => void,
  nameOf = (reason: ConnectError) => `${Code[reason.code]}, ${reason.rawMessage}`,
) {
  const events = new EventEmitter();
  const wait = (signal: AbortSignal) => {
    events.emit("waiting");
    return aborted(signal).catch((reason: ConnectError) => {
      log(`signal: ${nameOf(reason)}`);
      throw reason;
    });
  };
  const service: Partial<ServiceImpl<typeof ScriptService>> = {
    once: (_, { signal }) => wait(signal),
    async *download(_, { signal }) {
      try {
        yield { content: { text: "one" } };
        await wait(signal);
      } finally {
        log("finally");
      }
    },
    async upload(requests, { signal }) {
      for await (const { content } of requests) {
        log(content?.text);
        await wait(signal);
      }
      return {};
    },
    async *talk(requests, { signal }) {
      try {
        for await (const { content } of requests) {
          yield { content };
          await wait(signal);
        }
      } finally {
        log("finally");
      }
    },
  };
  return { service, events };
}

/** One message, and the stream stays open. */
export async function* openEnded() {
  yield { content: { text: "first" } };
  await new Promise(() => {});
}

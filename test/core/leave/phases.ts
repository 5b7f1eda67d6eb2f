import { once } from "node:events";
import type { ServiceImpl } from "@connectrpc/connect";
import type { ScriptService } from "../../gen/connectum/script/v1/script_pb.js";
import { withResolvers } from "../../support/with-resolvers.ts";
import type { RawCall } from "./raw-call.ts";

/** What a handler goes through, told to the test. */
export class Visit {
  readonly entered = withResolvers<AbortSignal>();
  /** A message has come in, or a yield has returned. */
  readonly moved = withResolvers();
  /** The handler's `finally` has run. */
  readonly finished = withResolvers();
}

type Service = Omit<ServiceImpl<typeof ScriptService>, "look" | "nobody">;

/** Where a call is when its client leaves. */
export interface Phase {
  readonly name: string;
  readonly method: "Once" | "Download" | "Upload" | "Talk";
  /** Whether the handler is running then. */
  readonly isHandled: boolean;
  /** Brings a call there; `message` is a whole request message as bytes. */
  bring(call: RawCall, visit: Visit, message: Buffer): Promise<void>;
}

const half = (message: Buffer) => message.subarray(0, message.byteLength / 2);

export const phases: readonly Phase[] = [
  unary("before its body", false, async () => {}),
  unary("in its body", false, async (call, _, message) => call.write(half(message))),
  unary("while its handler runs", true, async (call, visit, message) => {
    call.write(message);
    call.end();
    await visit.entered.promise;
  }),
  unary("while its answer is written", true, async (call, _, message) => {
    call.write(message);
    call.end();
    await call.answered();
  }),
  {
    name: "a server stream before its first message",
    method: "Download",
    isHandled: true,
    async bring(call, visit, message) {
      call.write(message);
      call.end();
      await visit.entered.promise;
    },
  },
  {
    name: "a server stream that nobody reads",
    method: "Download",
    isHandled: true,
    async bring(call, visit, message) {
      call.write(message);
      call.end();
      await visit.entered.promise;
      await call.answered();
    },
  },
  stream("Upload", "before its first message", async (_, visit) => {
    await visit.entered.promise;
  }),
  stream("Upload", "inside a message", async (call, visit, message) => {
    call.write(message);
    call.write(half(message));
    await visit.moved.promise;
  }),
  stream("Upload", "after its last message", async (call, visit, message) => {
    call.write(message);
    call.end();
    await visit.moved.promise;
  }),
  stream("Talk", "before its first message", async (_, visit) => {
    await visit.entered.promise;
  }),
  stream("Talk", "inside a message", async (call, visit, message) => {
    call.write(message);
    call.write(half(message));
    await visit.moved.promise;
    await call.answered();
  }),
  stream("Talk", "after its last message", async (call, visit, message) => {
    call.write(message);
    call.end();
    await visit.moved.promise;
    await call.answered();
  }),
];

function unary(name: string, isHandled: boolean, bring: Phase["bring"]): Phase {
  return { name: `a unary call ${name}`, method: "Once", isHandled, bring };
}

function stream(method: "Upload" | "Talk", when: string, bring: Phase["bring"]): Phase {
  const kind = method === "Upload" ? "client" : "bidi";
  return { name: `a ${kind} stream ${when}`, method, isHandled: true, bring };
}

/** More than a socket and a client's window take. */
const large = { content: { payload: new Uint8Array(8 * 1024 * 1024) } };

/** Handlers that end only because their client leaves. */
export function leftService(visit: () => Visit, phase: () => Phase): Service {
  return {
    once: (_, { signal }) =>
      visited(visit(), signal, async () => {
        if (phase().name.endsWith("answer is written")) return large;
        await aborted(signal);
        return {};
      }),
    async *download(_, { signal }) {
      const { entered, moved, finished } = visit();
      try {
        entered.resolve(signal);
        if (phase().name.endsWith("first message")) await aborted(signal);
        // Never looks at its signal: only `return()` ends it.
        for (;;) {
          yield { content: { payload: new Uint8Array(64 * 1024) } };
          moved.resolve();
        }
      } finally {
        finished.resolve();
      }
    },
    upload: (requests, { signal }) =>
      visited(visit(), signal, async ({ moved }) => {
        for await (const _ of requests) moved.resolve();
        await aborted(signal);
        return {};
      }),
    async *talk(requests, { signal }) {
      const { entered, moved, finished } = visit();
      try {
        entered.resolve(signal);
        for await (const _ of requests) {
          moved.resolve();
          yield {};
        }
        await aborted(signal);
      } finally {
        finished.resolve();
      }
    },
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

async function visited<T>(
  visit: Visit,
  signal: AbortSignal,
  body: (visit: Visit) => Promise<T>,
): Promise<T> {
  try {
    visit.entered.resolve(signal);
    return await body(visit);
  } finally {
    visit.finished.resolve();
  }
}

import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { describe, test } from "node:test";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { createServer, defineService } from "connectum/core";
import { ScriptService } from "../../gen/connectum/script/v1/script_pb.js";
import { countResources } from "../../support/count-resources.ts";
import { withResolvers } from "../../support/with-resolvers.ts";
import { leftService, type Phase, phases, Visit } from "./phases.ts";

const ROUNDS = 5;
const local = phases.filter(({ isHandled, name }) => isHandled && !name.endsWith("is written"));

describe("a caller in this process that leaves", () => {
  for (const phase of local) {
    test(`ends ${phase.name} and leaves nothing behind`, async (t) => {
      let visit = new Visit();
      const service = leftService(
        () => visit,
        () => phase,
      );
      const server = createServer({ services: [defineService(ScriptService, service)] });
      const client = server.localClient(ScriptService);
      const counter = countResources(t);
      for (let count = 0; count < ROUNDS; count++) {
        visit = new Visit();
        const caller = new AbortController();
        const requests = new Requests(phase);
        const options = { signal: caller.signal, timeoutMs: 60_000 };
        const outcome = call(client, phase, requests, options);
        const signal = await visit.entered.promise;
        if (!phase.name.includes("first message") && phase.method !== "Once") {
          await visit.moved.promise;
        }
        caller.abort();
        await assert.rejects(outcome, (error) => ConnectError.from(error).code === Code.Canceled);
        await visit.finished.promise;
        assert.equal(signal.aborted, true);
        assert.equal((signal.reason as ConnectError).code, Code.Canceled);
        assert.equal(getEventListeners(signal, "abort").length, 0);
        assert.equal(getEventListeners(caller.signal, "abort").length, 0);
        if (phase.method === "Upload" || phase.method === "Talk") await requests.closed.promise;
      }
      await counter.settled({ timers: 0, streams: 0 });
    });
  }

  test("before the call never enters the handler", async () => {
    let visits = 0;
    const server = createServer({
      services: [
        defineService(ScriptService, {
          once() {
            visits++;
            return {};
          },
        }),
      ],
    });
    const signal = AbortSignal.abort();
    await assert.rejects(server.localClient(ScriptService).once({}, { signal }));
    assert.equal(visits, 0);
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });
});

type ScriptClient = Client<typeof ScriptService>;

/** Calls the phase's method and reads what comes, one message until the caller leaves. */
async function call(
  client: ScriptClient,
  { method }: Phase,
  requests: Requests,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<void> {
  if (method === "Once") return void (await client.once({}, options));
  if (method === "Upload") return void (await client.upload(requests, options));
  const answers = method === "Talk" ? client.talk(requests, options) : client.download({}, options);
  for await (const _ of answers) if (!options.signal.aborted) await once(options.signal, "abort");
}

/** One request message or none, and then nothing, or the end. */
class Requests implements AsyncIterableIterator<Record<string, never>> {
  readonly closed = withResolvers();
  readonly #isEnding: boolean;
  #left: number;

  constructor({ name }: Phase) {
    this.#left = name.endsWith("before its first message") ? 0 : 1;
    this.#isEnding = name.endsWith("after its last message");
    if (this.#isEnding) this.closed.resolve();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Record<string, never>>> {
    if (this.#left-- > 0) return Promise.resolve({ done: false, value: {} });
    if (this.#isEnding) return Promise.resolve({ done: true, value: undefined });
    return new Promise(() => {});
  }

  return(): Promise<IteratorResult<Record<string, never>>> {
    this.closed.resolve();
    return Promise.resolve({ done: true, value: undefined });
  }
}

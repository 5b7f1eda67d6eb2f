import type { TestContext } from "node:test";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import {
  type CreateServerOptions,
  createLocalTransport,
  defineService,
  type ServiceDefinition,
} from "connectum/core";
import { createTestServer } from "connectum/testing";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { createTransport, grid } from "../support/transports.ts";

/** Every way into a server. */
export const doors = [...grid, "in process"] as const;
export type DoorName = (typeof doors)[number];

export const kinds = ["unary", "server streaming", "client streaming", "bidi streaming"] as const;
export type Kind = (typeof kinds)[number];

/** What a handler does, whatever its kind: the texts it answers with. */
export type Behaviour = (context: HandlerContext) => AsyncIterable<string>;

export type ScriptClient = Client<typeof ScriptService>;

/** Methods that all do the same, each in its kind. Unary ones answer with the last text. */
export function scripted(behaviour: Behaviour): ServiceDefinition {
  const last = async (context: HandlerContext) => {
    let text = "";
    for await (const next of behaviour(context)) text = next;
    return { content: { text } };
  };
  const all = async function* (context: HandlerContext) {
    for await (const text of behaviour(context)) yield { content: { text } };
  };
  return defineService(ScriptService, {
    once: (_, context) => last(context),
    look: (_, context) => last(context),
    download: (_, context) => all(context),
    async upload(requests, context) {
      for await (const _ of requests);
      return last(context);
    },
    async *talk(requests, context) {
      for await (const _ of requests);
      yield* all(context);
    },
  });
}

export interface Answer {
  readonly texts: string[];
  /** What ended the call, if it failed. */
  readonly error: ConnectError | undefined;
}

/** Calls the method of a kind. Never rejects: what a stream gave before it failed counts. */
export async function callKind(
  client: ScriptClient,
  kind: Kind,
  options: { signal?: AbortSignal; timeoutMs?: number; headers?: HeadersInit } = {},
): Promise<Answer> {
  const texts: string[] = [];
  const take = ({ content }: { content?: { text: string } }) => texts.push(content?.text ?? "");
  const inputs = async function* () {
    yield { content: { text: "one" } };
    yield { content: { text: "two" } };
  };
  try {
    if (kind === "unary") take(await client.look({}, options));
    else if (kind === "client streaming") take(await client.upload(inputs(), options));
    else {
      const stream =
        kind === "server streaming" ? client.download({}, options) : client.talk(inputs(), options);
      for await (const message of stream) take(message);
    }
    return { texts, error: undefined };
  } catch (error) {
    return { texts, error: ConnectError.from(error) };
  }
}

/** Runs `check` for every door and kind that there is, on one server. */
export async function everywhere(
  t: TestContext,
  options: Partial<CreateServerOptions>,
  check: (client: ScriptClient, kind: Kind, door: DoorName) => Promise<void>,
): Promise<void> {
  const { server, baseUrl } = await createTestServer({ t, ...options });
  for (const door of doors) {
    const transport =
      door === "in process" ? createLocalTransport(server) : createTransport(door, baseUrl);
    const client = createClient(ScriptService, transport);
    for (const kind of kinds) {
      if (kind === "bidi streaming" && door.endsWith("h1")) continue;
      await t.test(`${kind}, ${door}`, () => check(client, kind, door));
    }
  }
}

/** A client in process, for what does not depend on the way in. */
export async function localClient(
  t: TestContext,
  interceptors: readonly Interceptor[],
  behaviour: Behaviour,
): Promise<ScriptClient> {
  const { server } = await createTestServer({ t, services: [scripted(behaviour)], interceptors });
  return server.localClient(ScriptService);
}

/** The error of a call that must fail, whatever its code; `assertConnectError()` is for a known one. */
export async function failure(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => Promise.reject(new Error("the call succeeded")),
    (error) => ConnectError.from(error, Code.Unknown),
  );
}

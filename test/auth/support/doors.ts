import type { TestContext } from "node:test";
import { type Client, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { type CreateServerOptions, createLocalTransport, defineService } from "connectum/core";
import { createTestServer, type TestServer } from "connectum/testing";
import { createTransport, grid } from "../../support/transports.ts";
import { WhoService } from "../gen/who/v1/who_pb.js";
import { who } from "./who.ts";

export const doorNames = [...grid, "in process"] as const;
export type DoorName = (typeof doorNames)[number];

/** The doors a kind of method can be called through: HTTP/1.1 has no bidi streams. */
export function doorsOf(kind: string): readonly DoorName[] {
  return doorNames.filter((name) => kind !== "bidi" || !name.endsWith("h1"));
}

/** A server with WhoService, and a way to open each door to it. */
export async function startWho(t: TestContext, options: Partial<CreateServerOptions> = {}) {
  const started = await createTestServer({
    t,
    services: [defineService(WhoService, who)],
    ...options,
  });
  const client = (name: DoorName = "gRPC h2") => createClient(WhoService, transport(started, name));
  return { ...started, client };
}

export function transport({ server, baseUrl }: TestServer, name: DoorName): Transport {
  return name === "in process" ? createLocalTransport(server) : createTransport(name, baseUrl);
}

type WhoClient = Client<typeof WhoService>;

/** Calls each kind of method once, with the same headers, and gives every answer. */
export const kinds: Record<
  "unary" | "server stream" | "client stream" | "bidi",
  (client: WhoClient, headers?: Record<string, string>) => Promise<Array<Identity>>
> = {
  unary: async (client, headers) => [await client.ask({}, { headers })],
  "server stream": (client, headers) => all(client.follow({}, { headers })),
  "client stream": async (client, headers) => [await client.collect(twice(), { headers })],
  bidi: (client, headers) => all(client.converse(twice(), { headers })),
};

interface Identity {
  readonly subject: string;
  readonly ambient: string;
  readonly header: Readonly<Record<string, string>>;
}

async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const message of messages) list.push(message);
  return list;
}

async function* twice() {
  yield {};
  yield {};
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** The error a call ends with, whatever its code; where that is known `assertConnectError()` says more. */
export async function refusal(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ConnectError) return error;
  throw new Error("the call was not refused", { cause: error });
}

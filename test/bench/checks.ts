import { createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { EchoService } from "../gen/connectum/bench/v1/echo_pb.js";
import { text } from "./payloads.ts";
import type { Peer } from "./peer.ts";

/** Throws unless the peer answers right: load programs count status codes and read no answer. */
export type Check = (peer: Peer) => Promise<void>;

export async function checkGrpc({ address }: Peer, token?: string): Promise<void> {
  const baseUrl = `http://${address}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  try {
    const authorize: Interceptor = (next) => (request) => {
      if (token !== undefined) request.header.set("authorization", `Bearer ${token}`);
      return next(request);
    };
    const interceptors = [authorize];
    const transport = createGrpcTransport({ baseUrl, sessionManager, interceptors });
    await checkEcho(transport);
    let count = 0;
    const client = createClient(EchoService, transport);
    for await (const answer of client.repeat({ text, count: 100 })) {
      if (answer.text === text) count++;
    }
    if (count !== 100) throw new Error(`${count} of 100 messages came`);
    for await (const answer of client.converse(one())) {
      if (answer.text !== text) throw new Error("wrong answer to Converse");
    }
  } finally {
    sessionManager.abort();
  }
}

export async function checkConnectJson({ address }: Peer): Promise<void> {
  const body = JSON.stringify({ text });
  const headers = { "content-type": "application/json", connection: "close" };
  const url = `http://${address}/connectum.bench.v1.EchoService/Echo`;
  const answer = await fetch(url, { method: "POST", headers, body });
  const echo = (await answer.json()) as { text?: string };
  if (answer.status !== 200 || echo.text !== text) throw new Error("wrong answer to Echo in JSON");
}

export async function checkConnectBinary({ address }: Peer): Promise<void> {
  const baseUrl = `http://${address}`;
  const nodeOptions = { agent: false } as const;
  await checkEcho(
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true, nodeOptions }),
  );
}

async function checkEcho(transport: Transport): Promise<void> {
  const payload = new Uint8Array([1, 2, 3]);
  const answer = await createClient(EchoService, transport).echo({ text, payload });
  if (answer.text !== text || answer.payload.byteLength !== 3) {
    throw new Error("wrong answer to Echo");
  }
}

async function* one() {
  yield { text };
}

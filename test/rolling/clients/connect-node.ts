import * as http from "node:http";
import * as https from "node:https";
import { type CallOptions, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { GreeterService } from "../../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { baseUrlOf, type Caller, callLimitMs, NeverSentError, type Target } from "./caller.ts";
import { callHeader, NotingSessionManager } from "./noting-session-manager.ts";

export type ConnectNodeKind = "grpc" | "connect-h1" | "connect-h2" | "grpc-web-h1" | "grpc-web-h2";

/** The clients of connect-node, as their defaults are; none of them retries. */
export function connectNodeCaller(kind: ConnectNodeKind, target: Target): Caller {
  const { ca } = target;
  const sessions = new NotingSessionManager(baseUrlOf(target), {}, { ca });
  const client = createClient(GreeterService, createTransport(kind, target, sessions));
  let calls = 0;
  const begin = () => {
    const call = String(calls++);
    const options: CallOptions = { timeoutMs: callLimitMs, headers: { [callHeader]: call } };
    const explain = (error: unknown) =>
      sessions.neverSent.delete(call) ? new NeverSentError(error) : error;
    return { options, explain };
  };
  return {
    async unary(name) {
      const { options, explain } = begin();
      try {
        return (await client.sayHello({ name }, options)).greeting;
      } catch (error) {
        throw explain(error);
      }
    },
    async *stream(name) {
      const { options, explain } = begin();
      try {
        for await (const { greeting } of client.sayHelloInLanguages({ name }, options)) {
          yield greeting;
        }
      } catch (error) {
        throw explain(error);
      }
    },
  };
}

function createTransport(
  kind: ConnectNodeKind,
  target: Target,
  sessionManager: NotingSessionManager,
): Transport {
  const { ca } = target;
  const baseUrl = baseUrlOf(target);
  const http2 = { baseUrl, httpVersion: "2", sessionManager } as const;
  const agent = ca ? new https.Agent({ keepAlive: true, ca }) : new http.Agent({ keepAlive: true });
  const http1 = { baseUrl, httpVersion: "1.1", nodeOptions: { agent } } as const;
  switch (kind) {
    case "grpc":
      return createGrpcTransport({ baseUrl, sessionManager });
    case "connect-h1":
      return createConnectTransport(http1);
    case "connect-h2":
      return createConnectTransport(http2);
    case "grpc-web-h1":
      return createGrpcWebTransport(http1);
    case "grpc-web-h2":
      return createGrpcWebTransport(http2);
  }
}

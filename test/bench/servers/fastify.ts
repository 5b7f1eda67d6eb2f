import type { AddressInfo } from "node:net";
import { fastify } from "fastify";
import { answerQuestions } from "./host.ts";

const message = {
  type: "object",
  properties: { text: { type: "string" }, payload: { type: "string" } },
} as const;

const server = fastify();
server.post<{ Body: { text: string; payload?: string } }>(
  "/connectum.bench.v1.EchoService/Echo",
  { schema: { body: message, response: { 200: message } } },
  async ({ body: { text, payload } }) => ({ text, payload }),
);
await server.listen({ host: "127.0.0.1", port: 0 });
answerQuestions((server.server.address() as AddressInfo).port);

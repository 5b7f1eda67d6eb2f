import { createClient, createRouterTransport, type Transport } from "@connectrpc/connect";
import { createLocalTransport, createServer, defineService } from "connectum/core";
import { EchoService } from "../../gen/connectum/bench/v1/echo_pb.js";
import { chainOf } from "./chains.ts";
import { floorTransport } from "./floor-transport.ts";
import { answerQuestions, repeat } from "./host.ts";
import { echoService } from "./service.ts";

// Arguments: which transport, whether unary calls or streams of 100 messages are measured, which chain.
const [, , transportName, kind, chain] = process.argv;
const client = createClient(EchoService, createTransport());
const text = "a message of thirty-three letters";

async function unary(): Promise<void> {
  const answer = await client.echo({ text });
  if (answer.text !== text) throw new Error("wrong answer");
}

async function stream(): Promise<void> {
  let count = 0;
  for await (const answer of client.repeat({ text, count: 100 })) {
    if (answer.text === text) count++;
  }
  if (count !== 100) throw new Error(`${count} messages`);
}

answerQuestions(0, (seconds) => repeat(kind === "stream" ? stream : unary, seconds));

function createTransport(): Transport {
  switch (transportName) {
    case "floor":
      return floorTransport(echoService);
    case "router":
      return createRouterTransport((router) => void router.service(EchoService, echoService), {
        router: { interceptors: chainOf(chain) },
      });
    default:
      return createLocalTransport(
        createServer({
          services: [defineService(EchoService, echoService)],
          interceptors: chainOf(chain),
        }),
      );
  }
}

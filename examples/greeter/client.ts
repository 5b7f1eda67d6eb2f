import { pathToFileURL } from "node:url";
import { createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { GreeterService } from "./gen/greeter/v1/greeter_pb.js";

/** Calls every method once and returns the greetings in the order they came. */
export async function main(transport: Transport): Promise<string[]> {
  const client = createClient(GreeterService, transport);
  const greetings = [(await client.sayHello({ name: "Ada" })).greeting];
  for await (const { greeting } of client.sayHelloInLanguages({ name: "Ada" })) {
    greetings.push(greeting);
  }
  for await (const { greeting } of client.converse(names())) greetings.push(greeting);
  return greetings;
}

async function* names() {
  yield { name: "Grace" };
  yield { name: "Edsger" };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const baseUrl = process.argv[2] ?? "http://127.0.0.1:5000";
  for (const greeting of await main(createGrpcTransport({ baseUrl }))) console.log(greeting);
}

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ChatService, type JoinResponse } from "./gen/chat/v1/chat_pb.js";

/** Joins as `name`, says every line, and leaves when the lines end. Yields what the room prints. */
export async function* main(
  transport: Transport,
  name: string,
  lines: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  async function* requests() {
    yield { event: { case: "enter", value: name } } as const;
    for await (const value of lines) yield { event: { case: "say", value } } as const;
  }
  const chat = createClient(ChatService, transport);
  for await (const { event } of chat.join(requests())) yield print(event);
}

function print(event: JoinResponse["event"]): string {
  switch (event.case) {
    case "entered":
      return `* ${event.value} entered`;
    case "said":
      return `${event.value.name}: ${event.value.text}`;
    case "left":
      return `* ${event.value} left`;
    case "missed":
      return `* you missed ${event.value} messages`;
    case "closing":
      return "* the room closes";
    default:
      return "";
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [, , name = "somebody", baseUrl = "http://127.0.0.1:5000"] = process.argv;
  const lines = createInterface({ input: process.stdin });
  for await (const line of main(createGrpcTransport({ baseUrl }), name, lines)) console.log(line);
  // The room may have closed while the keyboard is still open.
  lines.close();
}

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { lineOf } from "./connectum.ts";

const goServer = resolve(".tools/bin/cli-go-server");

/** Why tests against grpc-go cannot run here; with CI set they have to. */
export const skipGo =
  !existsSync(goServer) &&
  !process.env.CI &&
  "cli-go-server is not built; `npm run tools` builds it";

/** Starts grpc-go's interop service and returns its address; the end of the test ends it. */
export async function startGoServer(t: TestContext, args: string[] = []): Promise<string> {
  const child = spawn(goServer, args, { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => void child.stdin.end());
  return lineOf(child, /^127\.0\.0\.1:\d+/);
}

const proto = "test/cli/proto/chat.proto";

/** Starts a grpc-js server with @grpc/reflection and returns its address. */
export async function startGrpcJs(t: TestContext): Promise<string> {
  const definition = loadSync(proto, { longs: String, enums: String, defaults: true });
  const { chat } = grpc.loadPackageDefinition(definition) as unknown as {
    chat: { v1: { Chat: { service: grpc.ServiceDefinition } } };
  };
  const server = new grpc.Server();
  server.addService(chat.v1.Chat.service, chatHandlers);
  new ReflectionService(definition).addToServer(server);
  const port = await new Promise<number>((done, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => {
      if (error) reject(error);
      else done(bound);
    });
  });
  t.after(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

interface Line {
  readonly text: string;
}

const chatHandlers: grpc.UntypedServiceImplementation = {
  say(call: grpc.ServerUnaryCall<Line, Line>, done: grpc.sendUnaryData<Line>) {
    const { text } = call.request;
    if (text === "") done({ code: grpc.status.INVALID_ARGUMENT, details: "text is empty" });
    else done(null, { text: `${text}, from ${call.metadata.get("x-name").join() || "nobody"}` });
  },
  repeat(call: grpc.ServerWritableStream<Line, Line>) {
    for (let index = 1; index <= 3; index++) call.write({ text: `${call.request.text} ${index}` });
    call.end();
  },
  collect(call: grpc.ServerReadableStream<Line, Line>, done: grpc.sendUnaryData<Line>) {
    const texts: string[] = [];
    call.on("data", ({ text }: Line) => texts.push(text));
    call.on("end", () => done(null, { text: texts.join(" ") }));
  },
  talk(call: grpc.ServerDuplexStream<Line, Line>) {
    call.on("data", ({ text }: Line) => call.write({ text: text.toUpperCase() }));
    call.on("end", () => call.end());
  },
};

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { TestContext } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { BadRequestSchema } from "../../src/cli/gen/google/rpc/error_details_pb.js";
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

export interface GrpcJsOptions {
  /** PEM files; turn TLS on. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** PEM file; clients must have a certificate of this authority. */
  readonly clientCA?: string;
  /** Bearer token every call must carry, reflection included. */
  readonly token?: string;
}

/** Starts a grpc-js server with @grpc/reflection and returns its address. */
export async function startGrpcJs(t: TestContext, options: GrpcJsOptions = {}): Promise<string> {
  const definition = loadSync(proto, { longs: String, enums: String, defaults: true });
  const { chat } = grpc.loadPackageDefinition(definition) as unknown as {
    chat: { v1: { Chat: { service: grpc.ServiceDefinition } } };
  };
  const { token } = options;
  const server = new grpc.Server(token === undefined ? {} : { interceptors: [wanting(token)] });
  server.addService(chat.v1.Chat.service, chatHandlers);
  new ReflectionService(definition).addToServer(server);
  const port = await new Promise<number>((done, reject) => {
    server.bindAsync("127.0.0.1:0", credentials(options), (error, bound) => {
      if (error) reject(error);
      else done(bound);
    });
  });
  t.after(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

function credentials({ tls, clientCA }: GrpcJsOptions): grpc.ServerCredentials {
  if (!tls) return grpc.ServerCredentials.createInsecure();
  const pair = { cert_chain: readFileSync(tls.cert), private_key: readFileSync(tls.key) };
  if (clientCA === undefined) return grpc.ServerCredentials.createSsl(null, [pair]);
  return grpc.ServerCredentials.createSsl(readFileSync(clientCA), [pair], true);
}

function wanting(token: string): grpc.ServerInterceptor {
  return (_, call) =>
    new grpc.ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, go) {
            if (metadata.get("authorization").includes(`Bearer ${token}`)) return go(metadata);
            const details = "no token, no answer";
            call.sendStatus({ code: grpc.status.UNAUTHENTICATED, details });
          },
        });
      },
    });
}

/** An error with a detail everybody has the type of, and one that only the schema here has. */
function emptyText(): Partial<grpc.StatusObject> {
  const field = { field: "text", description: "must not be empty" };
  const error = new ConnectError("text is empty", Code.InvalidArgument, undefined, [
    { desc: BadRequestSchema, value: { fieldViolations: [field] } },
  ]);
  // chat.v1.Line {text: "hi"}
  error.details.push({ type: "chat.v1.Line", value: new Uint8Array([0x0a, 2, 0x68, 0x69]) });
  const trailer = setTrailerStatus(new Headers(), error).get("grpc-status-details-bin") ?? "";
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(trailer, "base64"));
  return { code: grpc.status.INVALID_ARGUMENT, details: "text is empty", metadata };
}

interface Line {
  readonly text: string;
}

const chatHandlers: grpc.UntypedServiceImplementation = {
  say(call: grpc.ServerUnaryCall<Line, Line>, done: grpc.sendUnaryData<Line>) {
    const { text } = call.request;
    if (text === "") done(emptyText());
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

import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import { type CallOptions, createClient } from "@connectrpc/connect";
import { ExitCode, usageError } from "../cli-error.ts";
import { defineCliCommand } from "../command.ts";
import { messageToJson } from "../json/print-message.ts";
import { type LoadType, readRequests } from "../json/read-requests.ts";
import { type Connection, parseTarget, withConnection } from "../remote/connection.ts";
import { connectionArgs } from "../remote/connection-args.ts";
import { RpcFailure, reportingErrors } from "../remote/error-report.ts";
import { RemoteSchema } from "../remote/remote-schema.ts";

const args = {
  url: { type: "positional", description: "Server, such as http://localhost:5000", required: true },
  method: {
    type: "positional",
    description: "Method, such as greeter.v1.GreeterService/SayHello",
    required: true,
  },
  data: {
    type: "string",
    alias: "d",
    valueHint: "json|@file|-",
    description:
      "Request as JSON, from a file, or from standard input (-). A stream takes several in a row. Default: one empty request; for a client stream none",
  },
  ...connectionArgs,
  http1: { type: "boolean", description: "Call over HTTP/1.1 (grpc-web and connect)" },
  "timeout-ms": {
    type: "string",
    valueHint: "ms",
    description: "Longest the call may take. Default: no limit",
  },
  include: {
    type: "boolean",
    alias: "i",
    description: "Show response headers and trailers, on standard error",
  },
  "emit-defaults": {
    type: "boolean",
    description: "Show fields that have their default value too",
  },
  json: {
    type: "boolean",
    description: "One line per response in a terminal too, and errors as JSON",
  },
} as const;

type Flags = {
  readonly data?: string | undefined;
  readonly include?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly "emit-defaults"?: boolean | undefined;
};

export const callCommand = defineCliCommand({
  description:
    "Call any method of a running server. Its schema is read through reflection. Responses are printed as JSON: one line each, a single one indented in a terminal.",
  examples: [
    `call localhost:5000 shop.v1.Orders/Get -d '{"id":"7"}'`,
    `call https://example.com shop.v1.Orders/Watch -H "x-team: a"`,
  ],
  args,
  repeatable: ["header"],
  async run({ args: flags, rawArgs }) {
    const target = parseTarget(flags.url, flags, rawArgs);
    const timeoutMs = parseTimeout(flags["timeout-ms"]);
    if (flags.http1 && flags.protocol === "grpc") {
      throw usageError("gRPC needs HTTP/2", "use --http1 with --protocol connect or grpc-web");
    }
    try {
      await withConnection(target, (connection) =>
        call(connection, flags.method, flags, flags.http1 ? "1.1" : "2", timeoutMs),
      );
    } catch (error) {
      if (!flags.json || !(error instanceof RpcFailure)) throw error;
      process.stderr.write(`${JSON.stringify(error.json)}\n`);
      process.exitCode = ExitCode.FAILED;
    }
  },
});

async function call(
  connection: Connection,
  path: string,
  flags: Flags,
  httpVersion: "1.1" | "2",
  timeoutMs: number | undefined,
): Promise<void> {
  const schema = new RemoteSchema(connection.transport());
  const loadType: LoadType = async (name) =>
    (await schema.load(name)) ? schema.registry : undefined;
  const interrupt = interruptible();
  try {
    const method = await reportingErrors(connection, () => schema.method(path));
    const requests = readRequests({
      data: flags.data,
      message: method.input,
      registry: schema.registry,
      loadType,
    });
    const responses = invoke(connection, method, await prepare(requests, method, flags.data), {
      httpVersion,
      include: flags.include ?? false,
      signal: interrupt.signal,
      timeoutMs,
    });
    const print = async () => {
      for await (const message of responses) {
        const json = await messageToJson(method.output, message, {
          registry: schema.registry,
          loadType,
          emitDefaults: flags["emit-defaults"] ?? false,
          onUnknownType: (name) =>
            process.stderr.write(`warning: nobody knows type ${name}; its content is left out\n`),
        });
        const isShownToPerson = process.stdout.isTTY && !flags.json && !streams(method);
        process.stdout.write(`${JSON.stringify(json, undefined, isShownToPerson ? 2 : 0)}\n`);
      }
    };
    await reportingErrors(connection, print, loadType);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.exitCode = ExitCode.INTERRUPTED;
  } finally {
    interrupt.end();
    await schema.close();
  }
}

/** Ctrl-C cancels the call, so that the server learns of it. */
function interruptible() {
  const controller = new AbortController();
  const abort = () => controller.abort();
  process.once("SIGINT", abort);
  return { signal: controller.signal, end: () => void process.off("SIGINT", abort) };
}

function streams(method: DescMethod): boolean {
  return method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
}

/**
 * Requests of a method that takes one are read and counted before the call; so are those of a stream,
 * unless they come from standard input.
 */
async function prepare(
  requests: AsyncGenerator<Message>,
  method: DescMethod,
  data: string | undefined,
): Promise<AsyncGenerator<Message> | object[]> {
  const takesOne = method.methodKind === "unary" || method.methodKind === "server_streaming";
  if (!takesOne && data === "-") return requests;
  const all: object[] = [];
  for await (const request of requests) {
    all.push(request);
    if (takesOne && all.length > 1) {
      throw usageError(`${method.name} takes one request, and -d has more than one`);
    }
  }
  return takesOne && all.length === 0 ? [{}] : all;
}

interface InvokeOptions {
  readonly httpVersion: "1.1" | "2";
  readonly include: boolean;
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
}

async function* invoke(
  connection: Connection,
  method: DescMethod,
  requests: AsyncGenerator<Message> | object[],
  { httpVersion, include, signal, timeoutMs }: InvokeOptions,
): AsyncGenerator<Message> {
  const show = (values: Headers) => {
    for (const [name, value] of values) process.stderr.write(`< ${name}: ${value}\n`);
  };
  const options: CallOptions = {
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(include ? { onHeader: show, onTrailer: show } : {}),
  };
  const client = createClient(method.parent as DescService, connection.transport(httpVersion));
  const invokeMethod = (client as Record<string, (...args: unknown[]) => unknown>)[
    method.localName
  ] as (...args: unknown[]) => unknown;
  const input = new RequestInput(requests);
  const takesOne = Array.isArray(requests) && !method.methodKind.match(/client|bidi/);
  try {
    const result = invokeMethod(takesOne ? requests[0] : input.stream(), options);
    if (streams(method)) yield* result as AsyncIterable<Message>;
    else yield (await result) as Message;
  } catch (error) {
    throw input.error ?? error;
  }
}

/** Keeps what went wrong on our side of a stream, which the call reports as its own failure. */
class RequestInput {
  error: unknown;
  readonly #requests: AsyncIterable<Message> | Iterable<object>;

  constructor(requests: AsyncIterable<Message> | Iterable<object>) {
    this.#requests = requests;
  }

  async *stream(): AsyncGenerator<object> {
    try {
      yield* this.#requests;
    } catch (error) {
      this.error = error;
      throw error;
    }
  }
}

function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw usageError(`--timeout-ms must be a whole number of milliseconds, got "${text}"`);
  }
  return value;
}

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Health, ServingStatus } from "../../healthcheck/index.ts";
import { CliError, ExitCode, usageError } from "../cli-error.ts";
import { defineCliCommand } from "../command.ts";
import { type Connection, parseTarget, withConnection } from "../remote/connection.ts";
import { connectionArgs } from "../remote/connection-args.ts";
import { reportingErrors } from "../remote/error-report.ts";
import { paint } from "../terminal.ts";

export const healthCommand = defineCliCommand({
  description:
    "Ask a server for its health (grpc.health.v1). Exits 0 only when it serves, so it fits a container HEALTHCHECK.",
  examples: [
    "health http://localhost:5000",
    "health localhost:5000 greeter.v1.GreeterService --watch",
  ],
  args: {
    url: {
      type: "positional",
      description: "Server, such as http://localhost:5000",
      required: true,
    },
    service: {
      type: "positional",
      required: false,
      description: "Service to ask about. Default: the server as a whole",
    },
    watch: {
      type: "boolean",
      description: "Print the status and every change of it, until Ctrl-C",
    },
    "timeout-ms": {
      type: "string",
      valueHint: "ms",
      default: "5000",
      description: "Longest to wait for an answer; --watch waits for ever",
    },
    ...connectionArgs,
    json: { type: "boolean", description: "Status as JSON" },
  },
  repeatable: ["header"],
  async run({ args, rawArgs }) {
    const target = parseTarget(args.url, args, rawArgs);
    const service = args.service ?? "";
    const timeoutMs = Number(args["timeout-ms"]);
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1) {
      throw usageError(
        `--timeout-ms must be a whole number of milliseconds, got "${args["timeout-ms"]}"`,
      );
    }
    await withConnection(target, (connection) =>
      reportingErrors(connection, () =>
        args.watch
          ? watch(connection, service, args.json ?? false)
          : check(connection, service, args.json ?? false, timeoutMs),
      ),
    );
  },
});

async function check(
  connection: Connection,
  service: string,
  json: boolean,
  timeoutMs: number,
): Promise<void> {
  const client = createClient(Health, connection.transport());
  try {
    const { status } = await client.check({ service }, { timeoutMs });
    print(status, service, json);
    if (status !== ServingStatus.SERVING) process.exitCode = ExitCode.FAILED;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    if (error.code === Code.NotFound) {
      throw new CliError(`the server does not know the service "${service}"`, {
        hint: "see its services: connectum list <url>",
        cause: error,
      });
    }
    throw withoutHealth(error);
  }
}

async function watch(connection: Connection, service: string, json: boolean): Promise<void> {
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once("SIGINT", onInterrupt);
  try {
    const client = createClient(Health, connection.transport());
    for await (const { status } of client.watch({ service }, { signal: interrupt.signal })) {
      print(status, service, json, new Date());
    }
    throw new CliError("the server ended the watch", { hint: "it is probably shutting down" });
  } catch (error) {
    if (interrupt.signal.aborted) return;
    throw error instanceof ConnectError ? withoutHealth(error) : error;
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

function withoutHealth(error: ConnectError): Error {
  if (error.code !== Code.Unimplemented) return error;
  return new CliError("the server has no grpc.health.v1.Health", {
    hint: "add Healthcheck() of connectum/healthcheck to its protocols",
    cause: error,
  });
}

function print(status: number, service: string, json: boolean, time?: Date): void {
  const name = statusName(status);
  if (json) {
    const line = { status: name, service, ...(time ? { time: time.toISOString() } : {}) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    return;
  }
  const { green, red, dim } = paint(process.stdout);
  const colored = status === ServingStatus.SERVING ? green(name) : red(name);
  const when = time ? `${dim(time.toTimeString().slice(0, 8))}  ` : "";
  process.stdout.write(`${when}${colored}${service === "" ? "" : `  ${service}`}\n`);
}

function statusName(status: number): string {
  const known = Object.entries(ServingStatus).find(([, value]) => value === status);
  return known?.[0] ?? String(status);
}

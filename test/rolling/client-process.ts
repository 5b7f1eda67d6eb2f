import type { ChildProcess } from "node:child_process";
import { resolve } from "node:path";
import type { FrontPorts } from "./balancers/balancer.ts";
import { exitOf, lineOf, startChild } from "./children.ts";
import type { LoadReport } from "./clients/load.ts";
import { streamMessages } from "./service.ts";

/** Every client of the load, and the door of the balancer it uses. */
export const clientKinds = {
  "grpc-js": "grpc",
  grpcio: "grpc",
  grpc: "grpc",
  "connect-h1": "http1",
  "connect-h2": "http2",
  "grpc-web-h1": "http1",
  "grpc-web-h2": "http2",
} as const satisfies Record<string, keyof FrontPorts>;

export type ClientKind = keyof typeof clientKinds;

const READY_LIMIT_MS = 60_000;
const END_LIMIT_MS = 30_000;

/** A client in a process of its own, under load until it is stopped. */
export class ClientProcess {
  readonly kind: ClientKind;
  /** Resolves when its first calls were answered. */
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  #output = "";

  constructor(kind: ClientKind, ports: FrontPorts, maxPauseMs: number, caFile?: string) {
    this.kind = kind;
    const authority = `127.0.0.1:${ports[clientKinds[kind]]}`;
    const [command, args] =
      kind === "grpcio"
        ? [
            resolve(".tools/venv/bin/python"),
            [
              "test/rolling/clients/grpcio.py",
              authority,
              String(maxPauseMs),
              String(streamMessages),
            ],
          ]
        : [
            process.execPath,
            [
              "--import",
              "tsx",
              "test/rolling/clients/client.ts",
              kind,
              authority,
              String(maxPauseMs),
            ],
          ];
    if (caFile) args.push(caFile);
    this.#child = startChild(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#output += chunk;
    });
    this.ready = lineOf(this.#child, "ready", READY_LIMIT_MS).catch((cause) => {
      throw new Error(`client ${kind} did not get its first answers`, { cause });
    });
  }

  /** Lets the calls under way end and resolves with what the client counted. */
  async stop(): Promise<LoadReport> {
    this.#child.stdin?.end();
    const status = await exitOf(this.#child, END_LIMIT_MS);
    const line = this.#output.trim().split("\n").at(-1) ?? "";
    if (status !== 0 || !line.startsWith("{")) {
      throw new Error(`client ${this.kind} ended with ${status} and no report`);
    }
    return JSON.parse(line);
  }
}

import type { ChildProcess } from "node:child_process";
import { exitOf, lineOf, startChild } from "./children.ts";
import { stopTimeoutMs } from "./service.ts";

const START_LIMIT_MS = 30_000;

export interface ReplicaOptions {
  readonly name: string;
  /** The Node binary that runs it. */
  readonly node: string;
  readonly http1Port: number;
  /** The same as `http1Port`, unless the replica is a bare one. */
  readonly http2Port: number;
  readonly isBare: boolean;
  /** Where `server.key` and `server.crt` are; plaintext without. */
  readonly tlsDirectory: string | undefined;
}

/** One of the two servers, as a process that is started and stopped many times on the same port. */
export class ReplicaProcess {
  readonly options: ReplicaOptions;
  #child: ChildProcess | undefined;

  constructor(options: ReplicaOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    const { name, node, http1Port, http2Port, isBare, tlsDirectory } = this.options;
    const script = `test/rolling/${isBare ? "bare-" : ""}replica.ts`;
    const args = ["--import", "tsx", script, name, String(http1Port), String(http2Port)];
    if (tlsDirectory) args.push(tlsDirectory);
    const child = startChild(node, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    await lineOf(child, "listening", START_LIMIT_MS);
  }

  /** Sends SIGTERM; rejects unless the process then ends by itself, in time and without an error. */
  async stop(): Promise<void> {
    if (!this.#child) return;
    this.#child.kill("SIGTERM");
    const status = await exitOf(this.#child, stopTimeoutMs + 5_000);
    if (status !== 0) throw new Error(`replica ${this.options.name} ended with ${status}`);
  }
}

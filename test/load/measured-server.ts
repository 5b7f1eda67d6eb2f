import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { CreateServerOptions } from "connectum/core";

type Numbers = Pick<CreateServerOptions, "readMaxBytes" | "maxConnectionIdleMs">;

export interface Memory {
  readonly rssMiB: number;
  readonly heapMiB: number;
  readonly connections: number;
}

/** A server of the load service in a process of its own, so that its memory is its own. */
export class MeasuredServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(options: Numbers = {}): Promise<MeasuredServer> {
    const child = fork("test/load/server-process.ts", [JSON.stringify(options)], {
      execArgv: ["--import", "tsx", "--expose-gc"],
    });
    const [port] = (await once(child, "message")) as [number];
    return new MeasuredServer(child, port);
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What is in use after a garbage collection. */
  async memory(): Promise<Memory> {
    this.#child.send("memory");
    const [memory] = (await once(this.#child, "message")) as [Memory];
    return memory;
  }

  async stop(): Promise<void> {
    this.#child.disconnect();
    await once(this.#child, "exit");
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Memory, Question, Usage, Work } from "./servers/host.ts";
import { pinnedTo } from "./tools.ts";

/** How a peer process is started: a script of servers/, what it is given, and flags for Node. */
export interface PeerSpec {
  readonly script: string;
  readonly args?: readonly string[];
  readonly flags?: readonly string[];
}

const SERVER_CORE = 0;

type Answered = (answer: unknown) => void;

/** Starts a script on the server core. */
export function startProcess(node: string, file: string, spec: PeerSpec): ChildProcess {
  const { args = [], flags = [] } = spec;
  const [command = node, ...rest] = [...pinnedTo(SERVER_CORE), node, ...flags, file, ...args];
  return spawn(command, rest, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: {
      ...process.env,
      NODE_OPTIONS: "",
      NODE_ENV: "production",
      BENCH_PROTO: resolve("test/proto/connectum/bench/v1/echo.proto"),
    },
  });
}

/** A process under measurement. */
export class Peer {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: Answered; reject: (error: Error) => void }>();
  #lastId = 0;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.on("message", ({ id, answer }: { id: number; answer: unknown }) => {
      this.#waiting.get(id)?.resolve(answer);
      this.#waiting.delete(id);
    });
    child.once("exit", () => {
      const error = new Error("the peer process ended under load");
      for (const { reject } of this.#waiting.values()) reject(error);
    });
  }

  static async start(node: string, file: string, spec: PeerSpec): Promise<Peer> {
    const child = startProcess(node, file, spec);
    const failed = once(child, "exit").then(([code]) => {
      throw new Error(`${spec.script} ended with ${code} before it was ready`);
    });
    const [{ port }] = (await Promise.race([once(child, "message"), failed])) as [{ port: number }];
    failed.catch(() => {});
    return new Peer(child, port);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  usage(): Promise<Usage> {
    return this.#ask("usage") as Promise<Usage>;
  }

  memory(): Promise<Memory> {
    return this.#ask("memory") as Promise<Memory>;
  }

  work(seconds: number): Promise<Work> {
    return this.#ask("run", seconds) as Promise<Work>;
  }

  /** Ends it from inside, so that a CPU profile is written. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.send({ id: 0, kind: "stop" } satisfies Question);
    await exited;
  }

  #ask(kind: Question["kind"], seconds?: number): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, kind, seconds } satisfies Question, (error) => error && reject(error));
    });
  }
}

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exitOf, startChild } from "../children.ts";

export interface Backend {
  readonly name: string;
  readonly http1Port: number;
  readonly http2Port: number;
}

/** Where clients connect, by what they speak. */
export interface FrontPorts {
  readonly grpc: number;
  readonly http1: number;
  readonly http2: number;
}

export interface Balancer {
  readonly ports: FrontPorts;
  stop(): Promise<void>;
}

export interface BalancerProgram {
  readonly command: string;
  /** `directory` is the program's own; it may write there. */
  args(configFile: string, directory: string): string[];
  config(directory: string): string;
}

/** Runs a balancer unprivileged, in the foreground, with everything it writes in a directory of its own. */
export async function startBalancer(
  program: BalancerProgram,
  ports: FrontPorts,
): Promise<Balancer> {
  const directory = await mkdtemp(join(tmpdir(), "rolling-"));
  const configFile = join(directory, "balancer.conf");
  await writeFile(configFile, program.config(directory));
  const child = startChild(program.command, program.args(configFile, directory), {
    stdio: ["ignore", "ignore", process.env.ROLLING_DEBUG ? "inherit" : "ignore"],
  });
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = new Error(`cannot run ${program.command}; install it from the system`, {
      cause: error,
    });
  });
  child.once("exit", (code, signal) => {
    failure ??= new Error(`${program.command} ended with ${code ?? signal}`);
  });
  for (const port of new Set(Object.values(ports))) {
    while (!(await isListening(port))) {
      if (failure) throw failure;
      await sleep(50);
    }
  }
  return {
    ports,
    async stop() {
      child.kill("SIGKILL");
      await exitOf(child, 5_000);
      await rm(directory, { recursive: true });
    },
  };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

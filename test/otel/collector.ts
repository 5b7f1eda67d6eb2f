import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** The collector of the observability example, which is not our code but Google's protobuf and gRPC. */
export interface Collector {
  readonly http: string;
  readonly grpc: string;
  get<T>(path: "/counts" | "/spans" | "/calls" | "/logs"): Promise<T>;
  kill(): Promise<void>;
}

export const python = ".tools/venv/bin/python";
export const collectorProbe = ["-c", "import grpc, opentelemetry.proto"];

export async function startCollector(t: { after(fn: () => unknown): void }): Promise<Collector> {
  const child: ChildProcess = spawn(python, ["examples/observability/collector.py"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  t.after(kill);
  if (!child.stdout) throw new Error("no output");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const ports = JSON.parse(line) as { http: number; grpc: number };
  const http = `http://127.0.0.1:${ports.http}`;
  return {
    http,
    grpc: `http://127.0.0.1:${ports.grpc}`,
    get: async (path) => (await fetch(`${http}${path}`)).json() as never,
    kill,
  };
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export interface Backend {
  readonly url: string;
  stop(): Promise<void>;
}

const venv = ".tools/venv/bin/python";

/** The collector of this folder, for OTLP over HTTP. Needs Python with opentelemetry-proto and grpcio. */
export async function startCollector(port: number): Promise<Backend> {
  const script = fileURLToPath(new URL("collector.py", import.meta.url));
  const python = existsSync(venv) ? venv : "python3";
  const child = spawn(python, [script, String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface(child.stdout);
  const [line] = (await Promise.race([
    once(lines, "line"),
    failure(child, "the collector; `npm run tools` installs what it needs"),
  ])) as [string];
  const { http } = JSON.parse(line) as { http: number };
  return { url: `http://127.0.0.1:${http}`, stop: () => stop(child) };
}

/** Prometheus from the system, which scrapes the service every second. */
export async function startPrometheus(port: number, target: string): Promise<Backend> {
  const home = mkdtempSync(join(tmpdir(), "shop-prometheus-"));
  const config = join(home, "prometheus.yml");
  writeFileSync(
    config,
    `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: shop
    static_configs: [{ targets: ["${target}"] }]
`,
  );
  const child = spawn(
    "prometheus",
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(home, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const url = `http://127.0.0.1:${port}`;
  const ready = async () => {
    while (!(await fetch(`${url}/-/ready`).catch(() => undefined))?.ok) await delay(100);
  };
  await Promise.race([ready(), failure(child, "prometheus; on Debian: apt install prometheus")]);
  return {
    url,
    async stop() {
      await stop(child);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Rejects when the process cannot be started or ends by itself. */
async function failure(child: ChildProcess, what: string): Promise<never> {
  const [reason] = await Promise.race([once(child, "exit"), once(child, "error")]);
  throw new Error(`cannot start ${what}`, { cause: reason });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill();
  await exited;
}

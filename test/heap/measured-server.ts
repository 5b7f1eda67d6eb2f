import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sample } from "./server-process.ts";

/** A server whose memory can be asked for. */
export class MeasuredServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(): Promise<MeasuredServer> {
    const child = fork(new URL("server-process.ts", import.meta.url), {
      execArgv: ["--import", "tsx", "--expose-gc"],
    });
    const [{ port }] = await once(child, "message");
    return new MeasuredServer(child, port);
  }

  async sample(): Promise<Sample> {
    const answer = once(this.#child, "message");
    this.#child.send("sample");
    const [{ sample }] = await answer;
    return sample;
  }

  /** Makes the server call itself without a socket, slowly. */
  callLocally(): void {
    this.#child.send("local");
  }

  /** Samples over a time, the first one after things have settled. */
  async watch(totalMs: number, samples: number): Promise<[Sample, ...Sample[]]> {
    const first = await this.settle();
    const watched: [Sample, ...Sample[]] = [first];
    for (let count = 0; count < samples; count++) {
      await sleep(totalMs / samples);
      watched.push(await this.sample());
    }
    return watched;
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }

  /** Buffers on the way fill first. */
  async settle(): Promise<Sample> {
    let before = await this.sample();
    for (let count = 0; count < 50; count++) {
      await sleep(100);
      const now = await this.sample();
      if (now.made > 0 || now.taken > 0) {
        if (now.made === before.made) return now;
      }
      before = now;
    }
    return before;
  }
}

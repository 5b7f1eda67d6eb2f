/** What the bench asks a peer process, over the IPC channel. */
export interface Question {
  readonly id: number;
  readonly kind: "usage" | "memory" | "run" | "stop";
  readonly seconds?: number;
}

export interface Usage {
  readonly cpuSeconds: number;
}

/** After a forced collection. */
export interface Memory {
  readonly rss: number;
  readonly heap: number;
}

export interface Work {
  readonly count: number;
  readonly seconds: number;
}

/** How long something is repeated in this process, for peers without a port. */
export type Workload = (seconds: number) => Promise<Work>;

/** Says that the peer is ready, and answers questions until it is stopped. */
export function answerQuestions(port: number, workload?: Workload): void {
  process.on("message", async ({ id, kind, seconds = 1 }: Question) => {
    if (kind === "stop") process.exit(0);
    const answer =
      kind === "usage" ? usage() : kind === "memory" ? await memory() : await workload?.(seconds);
    process.send?.({ id, answer });
  });
  process.on("disconnect", () => process.exit(0));
  process.send?.({ port });
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6 };
}

async function memory(): Promise<Memory> {
  const { gc } = globalThis as { gc?: () => void };
  if (!gc) throw new Error("start this peer with --expose-gc");
  for (let round = 0; round < 4; round++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

/** Repeats one call after the other until the time is over. */
export async function repeat(call: () => Promise<unknown>, seconds: number): Promise<Work> {
  const start = performance.now();
  const deadline = start + seconds * 1000;
  let count = 0;
  while (performance.now() < deadline) {
    for (let index = 0; index < 20; index++) await call();
    count += 20;
  }
  return { count, seconds: (performance.now() - start) / 1000 };
}

import { once } from "node:events";
import { createServer } from "node:net";

/** Below the range the system takes ports of outgoing connections from. */
const FIRST = 20_000;
const LAST = 30_000;

/**
 * Ports nobody listens on. One the system hands out by itself would not do: while its replica is down,
 * an outgoing connection of the balancer could take it.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  return true;
}

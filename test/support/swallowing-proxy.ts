import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

export interface SwallowingProxy {
  readonly port: number;
  /** From here on every packet is lost and no connection ends: the other side is gone without a word. */
  swallow(): void;
}

/** A proxy between a client and the server on `target`, until it swallows. */
export async function startSwallowingProxy(
  t: TestContext,
  target: number,
): Promise<SwallowingProxy> {
  const sockets: Socket[] = [];
  const proxy = createServer((downstream) => {
    const upstream = connect(target, "127.0.0.1");
    sockets.push(downstream, upstream);
    downstream.on("error", () => {}).pipe(upstream);
    upstream.on("error", () => {}).pipe(downstream);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  t.after(() => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (proxy.address() as AddressInfo).port,
    swallow() {
      for (const socket of sockets) {
        socket.unpipe();
        socket.resume();
      }
    },
  };
}

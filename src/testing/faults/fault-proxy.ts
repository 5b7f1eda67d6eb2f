import net, { type AddressInfo, type Socket } from "node:net";
import { checkInteger, checkKeys, checkMs, checkText } from "../../core/internal.ts";
import { ProxiedConnection } from "./proxied-connection.ts";

export interface FaultProxyTarget {
  readonly port: number;
  /** Default `127.0.0.1`. */
  readonly host?: string;
}

/** A TCP proxy in front of a server. Faults hold for connections that are open and those to come. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  readonly host: string;
  /** How many connections are open. */
  readonly connections: number;
  /** Holds back every byte, both ways, for this long. */
  delay(ms: number): void;
  /** Lets no byte through any more, either way, and closes nothing: a peer that vanished. */
  swallow(): void;
  /** Closes every open connection with FIN. */
  cut(): void;
  /** Closes every open connection with RST. */
  reset(): void;
  /** Closes every connection after this many more bytes to the client. */
  truncate(bytes: number): void;
  /** Puts a GOAWAY (NO_ERROR, highest stream id) between two HTTP/2 frames to the client. Plaintext only. */
  sendGoaway(): void;
  /** New connections and bytes pass again as they are; what was closed stays closed. */
  heal(): void;
  close(): Promise<void>;
}

/** Starts a proxy on a free loopback port. */
export async function createFaultProxy(target: FaultProxyTarget): Promise<FaultProxy> {
  checkKeys("createFaultProxy()", target, ["port", "host"]);
  const { port: targetPort, host: targetHost = "127.0.0.1" } = target;
  checkInteger("port", targetPort, 1, 65_535);
  checkText("host", targetHost);
  const open = new Set<ProxiedConnection>();
  const faults = { delayMs: 0, isSwallowing: false, bytesLeft: Number.POSITIVE_INFINITY };
  const server = net.createServer({ noDelay: true }, (client: Socket) => {
    const upstream = net.connect({ port: targetPort, host: targetHost, noDelay: true });
    const connection = new ProxiedConnection(client, upstream, faults);
    open.add(connection);
    // While bytes are swallowed one side may outlive the other.
    const release = () => {
      if (client.closed && upstream.closed) open.delete(connection);
    };
    client.once("close", release);
    upstream.once("close", release);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const each = (action: (connection: ProxiedConnection) => void) => {
    for (const connection of [...open]) action(connection);
  };
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      each((connection) => connection.destroy());
    });
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    get connections() {
      return open.size;
    },
    delay(ms) {
      checkMs("delay()", ms);
      faults.delayMs = ms;
    },
    swallow() {
      faults.isSwallowing = true;
    },
    cut: () => each((connection) => connection.end()),
    reset: () => each((connection) => connection.reset()),
    truncate(bytes) {
      checkInteger("truncate()", bytes, 0, Number.MAX_SAFE_INTEGER);
      faults.bytesLeft = bytes;
      if (bytes === 0) each((connection) => connection.end());
    },
    sendGoaway: () => each((connection) => connection.sendGoaway()),
    heal() {
      faults.delayMs = 0;
      faults.isSwallowing = false;
      faults.bytesLeft = Number.POSITIVE_INFINITY;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

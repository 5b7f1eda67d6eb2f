import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  type OutgoingHttpHeaders,
} from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer, type Server } from "connectum/core";
import { loadService } from "../load/service.ts";

/** How long an answer may take before the input counts as one that hangs the server. */
const HANG_MS = 20_000;

/** A server under fuzz with its clients. What no input may cause is thrown or collected in `accidents`. */
export class Arena {
  readonly accidents: unknown[] = [];
  readonly #server: Server;
  #session: ClientHttp2Session | undefined;

  constructor() {
    this.#server = createServer({
      services: [loadService()],
      host: "127.0.0.1",
      port: 0,
      readMaxBytes: 64 * 1024,
      headersTimeoutMs: 500,
      bodyIdleTimeoutMs: 500,
      handshakeTimeout: 500,
      // Node 18 and 20 keep some connections they have sent GOAWAY to; these find them.
      keepalive: { intervalMs: 500, timeoutMs: 500 },
      floodLimits: {
        resetsPerSecond: 100_000,
        pingsPerSecond: 100_000,
        settingsPerSecond: 100_000,
      },
      cors: { origins: ["https://*.example.com"] },
      shutdown: { timeout: 2_000 },
      logger: {
        debug: () => {},
        info: () => {},
        warn: () => {},
        // A decoder that throws anything but a ConnectError ends here.
        error: ({ err }: { err?: unknown }, message) => void this.accidents.push(err ?? message),
      },
    });
    this.#server.on("error", (error) => void this.accidents.push(error));
    process.on("uncaughtException", this.#onAccident);
    process.on("unhandledRejection", this.#onAccident);
  }

  async start(): Promise<void> {
    await this.#server.start();
  }

  async stop(): Promise<void> {
    this.#session?.destroy();
    await this.#server.stop();
    process.off("uncaughtException", this.#onAccident);
    process.off("unhandledRejection", this.#onAccident);
  }

  /** Sends a request on a shared HTTP/2 connection; the result says how it was answered. */
  async request(headers: OutgoingHttpHeaders, body: Buffer, trailers?: OutgoingHttpHeaders) {
    return this.#withinLimit(async () => {
      const endStream = headers[":method"] === "GET";
      const waitForTrailers = trailers !== undefined;
      const stream = this.#http2().request(headers, { endStream, waitForTrailers });
      stream.on("error", () => {});
      if (trailers) {
        stream.once("wantTrailers", () => {
          try {
            stream.sendTrailers(trailers);
          } catch {
            stream.close();
          }
        });
      }
      let status = "";
      stream.on("response", (fields) => {
        status += `${fields[":status"]} ${fields["grpc-status"] ?? ""}`;
      });
      stream.on("trailers", (fields) => {
        status += ` ${fields["grpc-status"] ?? ""}`;
      });
      let text = "";
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
      });
      if (!endStream) {
        const half = Math.floor(body.length / 2);
        stream.write(body.subarray(0, half));
        stream.end(body.subarray(half));
      }
      if (!stream.closed) await once(stream, "close").catch(() => {});
      return `${status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ""}`;
    });
  }

  /** Sends bytes as they are and closes the sending side; the server must end the connection. */
  async raw(bytes: Buffer): Promise<string> {
    return this.#withinLimit(async () => {
      const socket: Socket = connect(this.#port, "127.0.0.1");
      socket.on("error", () => {});
      let text = "";
      socket.on("data", (chunk) => {
        if (text.length < 10_000) text += chunk.toString("latin1");
      });
      await once(socket, "connect").catch(() => {});
      socket.write(bytes);
      const timer = setTimeout(() => socket.end(), 5);
      if (!socket.destroyed) await new Promise((resolve) => socket.once("close", resolve));
      clearTimeout(timer);
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
      return statuses.slice(0, 3).join(" ");
    });
  }

  readonly #onAccident = (error: unknown): void => void this.accidents.push(error);

  get #port(): number {
    return (this.#server.address as AddressInfo).port;
  }

  #http2(): ClientHttp2Session {
    if (!this.#session || this.#session.closed || this.#session.destroyed) {
      this.#session = connectHttp2(`http://127.0.0.1:${this.#port}`);
      this.#session.on("error", () => {});
    }
    return this.#session;
  }

  async #withinLimit(action: () => Promise<string>): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const hang = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("no answer: the input hangs the server")), HANG_MS);
    });
    try {
      return await Promise.race([action(), hang]);
    } finally {
      clearTimeout(timer);
    }
  }
}

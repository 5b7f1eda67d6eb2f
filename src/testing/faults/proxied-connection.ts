import type { Socket } from "node:net";
import { FrameBoundary } from "./frame-boundary.ts";

/** What all connections of a proxy suffer at the moment. */
export interface Faults {
  readonly delayMs: number;
  readonly isSwallowing: boolean;
  /** Bytes to clients until connections are cut. */
  bytesLeft: number;
}

const GOAWAY = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** One client of a proxy and the connection to the server made for it. */
export class ProxiedConnection {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #faults: Faults;
  readonly #boundary = new FrameBoundary();
  #isGoawayDue = false;

  constructor(client: Socket, upstream: Socket, faults: Faults) {
    this.#client = client;
    this.#upstream = upstream;
    this.#faults = faults;
    this.#forward(client, upstream, (bytes) => upstream.write(bytes));
    this.#forward(upstream, client, (bytes) => this.#toClient(bytes));
  }

  end(): void {
    this.#client.end();
    this.#upstream.end();
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#upstream.resetAndDestroy();
  }

  destroy(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }

  sendGoaway(): void {
    if (this.#boundary.isAtBoundary) this.#client.write(GOAWAY);
    else this.#isGoawayDue = true;
  }

  #forward(from: Socket, to: Socket, write: (bytes: Buffer) => void): void {
    from.on("error", () => {});
    // Delays run side by side, and yet nothing overtakes what came before it.
    let last: Promise<unknown> | undefined;
    const later = (action: () => void) => {
      const { delayMs } = this.#faults;
      const perform = () => {
        if (!this.#faults.isSwallowing) action();
      };
      if (delayMs === 0 && !last) {
        perform();
        return;
      }
      const due = new Promise((resolve) => setTimeout(resolve, delayMs));
      const performed = Promise.resolve(last).then(async () => {
        await due;
        perform();
        if (last === performed) last = undefined;
      });
      last = performed;
    };
    from.on("data", (bytes: Buffer) =>
      later(() => {
        if (to.writable) write(bytes);
      }),
    );
    from.on("end", () => later(() => to.end()));
    from.on("close", () => later(() => to.destroySoon()));
  }

  #toClient(bytes: Buffer): void {
    const { bytesLeft } = this.#faults;
    if (bytes.byteLength >= bytesLeft) {
      this.#faults.bytesLeft = 0;
      this.#client.write(bytes.subarray(0, bytesLeft));
      this.end();
      return;
    }
    this.#faults.bytesLeft -= bytes.byteLength;
    const boundary = this.#boundary.advance(bytes);
    const hasBoundary = boundary > 0 || this.#boundary.isAtBoundary;
    if (!this.#isGoawayDue || !hasBoundary) {
      this.#client.write(bytes);
      return;
    }
    this.#isGoawayDue = false;
    this.#client.write(bytes.subarray(0, boundary));
    this.#client.write(GOAWAY);
    this.#client.write(bytes.subarray(boundary));
  }
}

import { Code, ConnectError } from "@connectrpc/connect";
import type { BodyReceiver } from "./exchange.ts";
import type { StallClock, Watched } from "./stall-clock.ts";

/** Notices a client that stops in the middle of a message, and ends its request. */
export class BodyWatch implements Watched {
  movedAt = 0;
  readonly #receiver: BodyReceiver;
  readonly #clock: StallClock;

  constructor(receiver: BodyReceiver, clock: StallClock) {
    this.#receiver = receiver;
    this.#clock = clock;
    clock.watch(this);
  }

  /** Bytes have come. */
  onMoved(): void {
    this.movedAt = this.#clock.now;
  }

  release(): void {
    this.#clock.unwatch(this);
  }

  hasMoved(): boolean {
    return !this.#receiver.isMissingBytes;
  }

  onStalled(): void {
    const { timeoutMs } = this.#clock;
    this.#receiver.onError(
      new ConnectError(
        `the request stood still for ${timeoutMs} ms in the middle of a message`,
        Code.DeadlineExceeded,
      ),
    );
  }
}

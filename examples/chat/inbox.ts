import type { MessageInitShape } from "@bufbuild/protobuf";
import type { JoinResponseSchema } from "./gen/chat/v1/chat_pb.js";

export type RoomEvent = Extract<MessageInitShape<typeof JoinResponseSchema>["event"], object>;

/**
 * What one member has still to read. Whoever writes never waits for whoever reads: a full inbox drops
 * its oldest event and counts it, so a member costs `capacity` events at most, however slow.
 */
export class Inbox implements AsyncIterable<RoomEvent> {
  readonly #capacity: number;
  readonly #events: RoomEvent[] = [];
  #missed = 0;
  #isClosed = false;
  #wake: () => void = () => {};

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(event: RoomEvent): void {
    if (this.#isClosed) return;
    if (this.#events.length === this.#capacity) {
      this.#events.shift();
      this.#missed++;
    }
    this.#events.push(event);
    this.#wake();
  }

  /** What is in it can still be read; nothing comes after. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RoomEvent, void, undefined> {
    for (;;) {
      if (this.#missed > 0) {
        const value = this.#missed;
        this.#missed = 0;
        yield { case: "missed", value };
      }
      const event = this.#events.shift();
      if (event) yield event;
      else if (this.#isClosed) return;
      else await this.#somethingNew();
    }
  }

  #somethingNew(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

import { Inbox, type RoomEvent } from "./inbox.ts";

/** Who is there, and what is told to all of them. */
export class Room {
  readonly #inboxes = new Map<string, Inbox>();
  readonly #capacity: number;

  constructor(capacity = 256) {
    this.#capacity = capacity;
  }

  /** Undefined when somebody of that name is in the room. */
  enter(name: string): Inbox | undefined {
    if (this.#inboxes.has(name)) return undefined;
    const inbox = new Inbox(this.#capacity);
    this.#inboxes.set(name, inbox);
    this.tell({ case: "entered", value: name });
    return inbox;
  }

  leave(name: string): void {
    this.#inboxes.get(name)?.close();
    if (this.#inboxes.delete(name)) this.tell({ case: "left", value: name });
  }

  tell(event: RoomEvent): void {
    for (const inbox of this.#inboxes.values()) inbox.push(event);
  }

  /** Everybody reads what is left for them, and their streams end. */
  close(): void {
    this.tell({ case: "closing", value: true });
    for (const inbox of this.#inboxes.values()) inbox.close();
  }
}

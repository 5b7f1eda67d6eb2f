import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { ChatService, JoinRequest } from "./gen/chat/v1/chat_pb.js";
import { Room } from "./room.ts";

/** The service, whose room closes when the server begins to drain. */
export function createChat(shutdownSignal: AbortSignal): ServiceImpl<typeof ChatService> {
  const room = new Room();
  shutdownSignal.addEventListener("abort", () => room.close(), { once: true });
  return {
    async *join(requests) {
      const incoming = requests[Symbol.asyncIterator]();
      const name = await readName(incoming);
      if (shutdownSignal.aborted) throw new ConnectError("the room is closed", Code.Unavailable);
      const inbox = room.enter(name);
      if (!inbox) throw new ConnectError(`${name} is in the room`, Code.AlreadyExists);
      const leave = () => room.leave(name);
      const listening = listen(incoming, (text) => {
        room.tell({ case: "said", value: { name, text } });
      });
      // Whoever vanishes is waiting for an event that may never come: the end of the requests wakes it.
      listening.then(leave, leave);
      try {
        for await (const event of inbox) yield { event };
        if (!shutdownSignal.aborted) await listening;
      } finally {
        leave();
      }
    },
  };
}

async function readName(incoming: AsyncIterator<JoinRequest>): Promise<string> {
  const first = await incoming.next();
  const event = first.done ? undefined : first.value.event;
  if (event?.case === "enter" && event.value !== "") return event.value;
  throw new ConnectError("enter with a name first", Code.InvalidArgument);
}

/** Rejects when a request is none of a member's; the stream then ends with that error. */
async function listen(
  incoming: AsyncIterator<JoinRequest>,
  say: (text: string) => void,
): Promise<void> {
  for (let next = await incoming.next(); !next.done; next = await incoming.next()) {
    const { event } = next.value;
    if (event.case !== "say") throw new ConnectError("you are in the room", Code.InvalidArgument);
    say(event.value);
  }
}

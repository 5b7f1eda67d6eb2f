import type { ServiceImpl } from "@connectrpc/connect";
import { requireAuthContext } from "connectum/auth";
import type { NotesService } from "./gen/notes/v1/notes_pb.js";

/** The service of every example here: who may call what is said in the proto, not here. */
export function createNotes(): ServiceImpl<typeof NotesService> {
  const notes: string[] = [];
  return {
    about: () => ({ text: "Notes for everybody" }),
    listNotes: () => ({ notes }),
    addNote({ text }, context) {
      const note = `${requireAuthContext(context).subject}: ${text}`;
      notes.push(note);
      return { note };
    },
    deleteNotes() {
      notes.length = 0;
      return {};
    },
  };
}

import { defineService, type ServiceOptions } from "connectum/core";
import { LoadService } from "../gen/connectum/load/v1/load_pb.js";

/** Moves bytes in every way a call can. */
export function loadService(options?: ServiceOptions) {
  return defineService(
    LoadService,
    {
      echo: ({ text, payload }, context) => {
        const note = context.requestHeader.get("x-note");
        if (note !== null) {
          context.responseHeader.set("x-note", note);
          context.responseTrailer.set("x-note-trailer", note);
        }
        return { text, payload };
      },
      async upload(requests) {
        let messages = 0n;
        let bytes = 0n;
        for await (const { payload } of requests) {
          messages++;
          bytes += BigInt(payload.byteLength);
        }
        return { messages, bytes };
      },
      async *download({ count, size }) {
        const payload = new Uint8Array(size);
        for (let index = 0; index < count; index++) yield { payload };
      },
      async *talk(requests) {
        for await (const { text } of requests) yield { text };
      },
    },
    options,
  );
}

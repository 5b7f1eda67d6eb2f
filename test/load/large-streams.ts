import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { LoadService } from "../gen/connectum/load/v1/load_pb.js";
import type { MeasuredServer, Memory } from "./measured-server.ts";

const MESSAGE_BYTES = 64 * 1024;

export interface Transfer {
  readonly bytes: number;
  /** Memory of the server at equal steps of the transfer. */
  readonly memories: readonly Memory[];
}

const STEPS = 8;

export async function uploadLarge(server: MeasuredServer, bytes: number): Promise<Transfer> {
  const count = bytes / MESSAGE_BYTES;
  const memories: Memory[] = [];
  async function* messages() {
    for (let index = 0; index < count; index++) {
      if (index % (count / STEPS) === 0) memories.push(await server.memory());
      yield { payload: new Uint8Array(MESSAGE_BYTES) };
    }
  }
  const client = createClient(LoadService, createGrpcTransport({ baseUrl: server.baseUrl }));
  const answer = await client.upload(messages());
  return { bytes: Number(answer.bytes), memories };
}

export async function downloadLarge(server: MeasuredServer, bytes: number): Promise<Transfer> {
  const count = bytes / MESSAGE_BYTES;
  const memories: Memory[] = [];
  const client = createClient(LoadService, createGrpcTransport({ baseUrl: server.baseUrl }));
  let received = 0;
  let index = 0;
  for await (const { payload } of client.download({ count, size: MESSAGE_BYTES })) {
    if (index++ % (count / STEPS) === 0) memories.push(await server.memory());
    received += payload.byteLength;
  }
  return { bytes: received, memories };
}

/** How much the memory in use grew from the first quarter of the transfer to its end, at most. */
export function growthMiB({ memories }: Transfer, key: "rssMiB" | "heapMiB"): number {
  const quarter = Math.ceil(memories.length / 4);
  const begin = Math.max(...memories.slice(0, quarter).map((memory) => memory[key]));
  const end = Math.max(...memories.slice(quarter).map((memory) => memory[key]));
  return Math.round((end - begin) * 10) / 10;
}

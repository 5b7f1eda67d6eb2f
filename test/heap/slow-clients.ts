import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";

const grpcTypes = { 1: "application/grpc-web", 2: "application/grpc" } as const;
const emptyMessage = Buffer.alloc(5);
/** 16 KiB of an unknown field, which is a valid message all the same. */
const largeMessage = Buffer.concat([
  Buffer.from([0, 0, 0, 0x40, 0x04, 0xfa, 0x3f, 0x80, 0x80, 0x01]),
  Buffer.alloc(16 * 1024),
]);
largeMessage.writeUInt32BE(largeMessage.byteLength - 5, 1);

type Request = http.ClientRequest | http2.ClientHttp2Stream;

/** Begins an endless server stream and reads nothing of it. Returns what ends it. */
export async function readNothing(port: number, version: 1 | 2): Promise<() => void> {
  const { request, close } = open(port, version, "Download");
  request.end(emptyMessage);
  const [response] = await once(request, "response");
  if (version === 1) (response as http.IncomingMessage).pause();
  return close;
}

/** Sends request messages as fast as they are taken. Returns what ends it. */
export function sendEndlessly(port: number, version: 1 | 2): () => void {
  const { request, close } = open(port, version, "Upload");
  const pour = () => {
    while (!request.destroyed && request.write(largeMessage)) {}
  };
  request.on("drain", pour);
  pour();
  return close;
}

function open(
  port: number,
  version: 1 | 2,
  name: string,
): { readonly request: Request; close(): void } {
  const path = `/${ScriptService.typeName}/${name}`;
  const headers = { "content-type": grpcTypes[version] };
  if (version === 1) {
    const options = { host: "127.0.0.1", port, path, method: "POST", headers, agent: false };
    const request = http.request(options);
    request.on("error", () => {});
    return { request, close: () => request.destroy() };
  }
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const request = session.request(
    { ":method": "POST", ":path": path, ...headers },
    { endStream: false },
  );
  request.on("error", () => {});
  return { request, close: () => session.destroy() };
}

import * as http2 from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  DownloadRequestSchema,
  OnceRequestSchema,
  ScriptService,
} from "../gen/connectum/script/v1/script_pb.js";

const AT_ONCE = 64;

export function unaryCalls(port: number, count: number): Promise<void> {
  const request = create(OnceRequestSchema, {
    content: { text: "35 bytes of text, more or less" },
  });
  return calls(port, "Once", toBinary(OnceRequestSchema, request), count);
}

/** Server streams of 100 messages. */
export function streams(port: number, count: number): Promise<void> {
  const request = create(DownloadRequestSchema, { script: { count: 100 } });
  return calls(port, "Download", toBinary(DownloadRequestSchema, request), count);
}

/** Makes gRPC calls, some at once, on one connection. Rejects at the first that fails. */
function calls(port: number, name: string, message: Uint8Array, count: number): Promise<void> {
  const body = Buffer.concat([Buffer.from([0, 0, 0, 0, message.byteLength]), message]);
  const headers = {
    ":method": "POST",
    ":path": `/${ScriptService.typeName}/${name}`,
    "content-type": "application/grpc",
    te: "trailers",
  };
  const session = http2.connect(`http://127.0.0.1:${port}`);
  return new Promise<void>((resolve, reject) => {
    let left = count;
    let open = 0;
    const next = () => {
      if (left === 0) {
        if (open === 0) resolve();
        return;
      }
      left--;
      open++;
      const stream = session.request(headers, { endStream: false });
      stream.once("trailers", (trailers) => {
        if (trailers["grpc-status"] !== "0") reject(new Error(`status ${trailers["grpc-status"]}`));
      });
      stream.once("error", reject);
      stream.once("close", () => {
        open--;
        next();
      });
      stream.resume();
      stream.end(body);
    };
    session.once("error", reject);
    for (let begun = 0; begun < AT_ONCE; begun++) next();
  }).finally(() => session.destroy());
}

import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { FrontPorts } from "./balancers/balancer.ts";
import { namePath } from "./service.ts";

const LIMIT_MS = 30_000;

/** Resolves when every door of the balancer leads new connections to this replica, among others. */
export async function waitUntilTaken(
  replica: string,
  ports: FrontPorts,
  ca: Buffer | undefined,
): Promise<void> {
  const probes = {
    grpc: () => nameOverHttp2(ports.grpc, ca),
    http1: () => nameOverHttp1(ports.http1, ca),
    http2: () => nameOverHttp2(ports.http2, ca),
  };
  const deadline = Date.now() + LIMIT_MS;
  for (const [door, probe] of Object.entries(probes)) {
    while ((await probe().catch(() => undefined)) !== replica) {
      if (Date.now() > deadline) throw new Error(`no way to ${replica} through the ${door} door`);
      await sleep(20);
    }
  }
}

/** The name of the replica that answers on a new connection. */
function nameOverHttp1(port: number, ca: Buffer | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path: namePath, agent: false, timeout: 2_000 };
    const request = ca ? https.get({ ...options, ca }) : http.get(options);
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", reject);
    request.on("response", (response) => text(response).then(resolve, reject));
  });
}

/** The same over HTTP/2. */
function nameOverHttp2(port: number, ca: Buffer | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`${ca ? "https" : "http"}://127.0.0.1:${port}`, { ca });
    session.setTimeout(2_000, () => session.destroy(new Error("timeout")));
    session.on("error", reject);
    const stream = session.request({ ":path": namePath });
    stream.on("error", reject);
    text(stream)
      .then(resolve, reject)
      .finally(() => session.destroy());
  });
}

async function text(body: AsyncIterable<Buffer>): Promise<string> {
  let read = "";
  for await (const chunk of body) read += chunk;
  return read;
}

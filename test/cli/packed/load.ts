import { once } from "node:events";
import * as grpc from "@grpc/grpc-js";

const METHOD = "/shop.v1.ShopService/SayHello";
/** Calls each client has under way. */
const CONCURRENCY = 8;

/** Calls of one client, made without a pause. */
export interface Load {
  /** How many calls were answered. */
  readonly answered: () => number;
  /** What calls failed with. A client whose only server is gone ends at its first failure. */
  readonly failures: () => readonly string[];
  /** Resolves when so many more calls were answered. */
  more(count: number): Promise<void>;
  /** Resolves when the last call has ended. */
  stop(): Promise<void>;
}

/** grpc-js, in turns with every server there is: no call may fail while one of them drains. */
export function loadOfGrpc(addresses: readonly string[]): Load {
  const client = new grpc.Client(`ipv4:${addresses.join(",")}`, grpc.credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  });
  // SayHelloRequest {name: "Ada"}
  const request = Buffer.from("\n\u0003Ada");
  const bytes = (message: Buffer) => message;
  const call = () =>
    new Promise<void>((done, reject) => {
      client.makeUnaryRequest(METHOD, bytes, bytes, request, (error) => {
        if (error) reject(error);
        else done();
      });
    });
  return startLoad(call, () => client.close());
}

/** Connect over HTTP/1.1 with connections kept open, by fetch. */
export function loadOfConnect(address: string): Load {
  return startLoad(async () => {
    const response = await fetch(`http://${address}${METHOD}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"name":"Ada"}',
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  });
}

function startLoad(call: () => Promise<void>, close = () => {}): Load {
  const progress = new EventTarget();
  const failures: string[] = [];
  let answered = 0;
  let isOver = false;
  const workers = Array.from({ length: CONCURRENCY }, async () => {
    while (!isOver) {
      try {
        await call();
        answered++;
      } catch (error) {
        failures.push(String(error));
        break;
      } finally {
        progress.dispatchEvent(new Event("call"));
      }
    }
  });
  return {
    answered: () => answered,
    failures: () => failures,
    async more(count) {
      const goal = answered + count;
      while (answered < goal && failures.length < CONCURRENCY) await once(progress, "call");
    },
    async stop() {
      isOver = true;
      await Promise.all(workers);
      close();
    },
  };
}

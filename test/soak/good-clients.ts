import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Client, credentials } from "@grpc/grpc-js";
import { LoadService } from "../gen/connectum/load/v1/load_pb.js";
import type { grid } from "../support/transports.ts";
import { closable } from "./closable-transport.ts";
import type { Tally } from "./tally.ts";

export interface Site {
  readonly name: string;
  readonly baseUrl: string;
  readonly ca: string | undefined;
}

/** Long, so that a machine that is busy with other things passes. */
const PATIENCE_MS = 60_000;

/** The limit of the server, in bytes. */
export const READ_MAX_BYTES = 64 * 1024;

/** Calls in every way until it is over; a client lives for some seconds, then a new one takes its place. */
export async function runGoodClient(
  name: (typeof grid)[number],
  site: Site,
  tally: Tally,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const { transport, close } = closable(name, site);
    const client = createClient(LoadService, transport);
    const isHalfDuplex = name.endsWith("h1");
    for (let round = 0; round < 40 && !isOver(); round++) {
      const text = `${name} ${round}`;
      const payload = new Uint8Array(round * 500);
      await tally.expect("unary", async () => {
        const answer = await client.echo({ text, payload }, { timeoutMs: PATIENCE_MS });
        if (answer.text !== text || answer.payload.byteLength !== payload.byteLength) {
          throw new Error("another answer than asked for");
        }
      });
      await tally.expect("server stream", async () => {
        let messages = 0;
        for await (const _ of client.download(
          { count: 20, size: 1_000 },
          { timeoutMs: PATIENCE_MS },
        )) {
          messages++;
        }
        if (messages !== 20) throw new Error(`${messages} messages of 20`);
      });
      await tally.expect("cancelled stream", () => cancelled(client));
      await tally.expect("refused", async () => {
        // Small enough for node:http2 as a client, which counts what a reset left unsent against the
        // memory of its session until that refuses new streams.
        const large = new Uint8Array(READ_MAX_BYTES + 1);
        const error = await client.echo({ payload: large }).then(
          () => undefined,
          (thrown) => ConnectError.from(thrown),
        );
        if (error?.code !== Code.ResourceExhausted) throw error ?? new Error("was not refused");
      });
      if (!isHalfDuplex) {
        await tally.expect("client stream", async () => {
          const { messages } = await client.upload(payloads(20), { timeoutMs: PATIENCE_MS });
          if (messages !== 20n) throw new Error(`${messages} messages of 20`);
        });
        await tally.expect("bidi", async () => {
          let answers = 0;
          for await (const _ of client.talk(texts(10), { timeoutMs: PATIENCE_MS })) answers++;
          if (answers !== 10) throw new Error(`${answers} answers of 10`);
        });
      }
      await sleep(50);
    }
    close();
  }
}

async function cancelled(client: ReturnType<typeof createClient<typeof LoadService>>) {
  const abort = new AbortController();
  try {
    for await (const _ of client.download(
      { count: 10_000, size: 100 },
      { signal: abort.signal, timeoutMs: PATIENCE_MS },
    )) {
      abort.abort();
    }
  } catch (error) {
    if (ConnectError.from(error).code === Code.Canceled) return;
    throw error;
  }
  throw new Error("the stream ended before it was cancelled");
}

async function* payloads(count: number) {
  for (let index = 0; index < count; index++) yield { payload: new Uint8Array(2_000) };
}

async function* texts(count: number) {
  for (let index = 0; index < count; index++) yield { text: `${index}` };
}

/** An independent gRPC stack, a new connection every few calls. */
export async function runGrpcJs(site: Site, tally: Tally, isOver: () => boolean): Promise<void> {
  const identity = (bytes: Buffer) => bytes;
  while (!isOver()) {
    const channel = site.ca
      ? credentials.createSsl(Buffer.from(site.ca))
      : credentials.createInsecure();
    const client = new Client(new URL(site.baseUrl).host, channel, {
      "grpc.use_local_subchannel_pool": 1,
    });
    for (let round = 0; round < 10 && !isOver(); round++) {
      await tally.expect(
        "grpc-js unary",
        () =>
          new Promise<void>((resolve, reject) => {
            const path = "/connectum.load.v1.LoadService/Echo";
            const body = Buffer.from([0x0a, 3, 0x41, 0x64, 0x61]);
            const deadline = { deadline: Date.now() + PATIENCE_MS };
            client.makeUnaryRequest(path, identity, identity, body, deadline, (error, answer) => {
              if (error) reject(error);
              else if (answer?.equals(body)) resolve();
              else reject(new Error("another answer than asked for"));
            });
          }),
      );
      await sleep(100);
    }
    client.close();
  }
}

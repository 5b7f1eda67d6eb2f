import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openHttp1, untilClosed } from "../core/bad-input/raw-http1.ts";
import { encodeHeaders, flag, RawHttp2, requestHeaders } from "../support/raw-http2.ts";
import type { Tally } from "./tally.ts";

const service = "/connectum.load.v1.LoadService";
const echo = requestHeaders(`${service}/Echo`);

interface Victim {
  readonly port: number;
  readonly isTls: boolean;
}

/** Each does harm once and resolves when the server has ended it; not to be ended is an error. */
const attacks: Record<string, (victim: Victim) => Promise<unknown>> = {
  "silent socket": async ({ port }) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    await once(socket, "close");
  },
  "half a handshake": async ({ port }) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    socket.write(Buffer.from([0x16, 3, 1, 2, 0]));
    await once(socket, "close");
  },
  "slow HTTP/1.1 headers": async ({ port, isTls }) => {
    const socket = await openHttp1(port, isTls);
    socket.write(`POST ${service}/Echo HTTP/1.1\r\nX-Slow: `);
    await untilClosed(socket);
  },
  "slow HTTP/2 headers": async ({ port, isTls }) => {
    const client = await RawHttp2.connect(port, isTls);
    client.request(1, echo, 0);
    await client.closed;
  },
  "header bomb": async ({ port, isTls }) => {
    const client = await RawHttp2.connect(port, isTls);
    for (let id = 1; id < 20; id += 2) client.request(id, { ...echo, large: "a".repeat(17_000) });
    await client.reset(19);
    client.socket.destroy();
  },
  "stalled body": async ({ port, isTls }) => {
    const client = await RawHttp2.connect(port, isTls);
    client.request(1, echo);
    client.send("DATA", 0, 1, Buffer.from([0, 0, 0, 0, 9, 1]));
    await client.reset(1);
    client.socket.destroy();
  },
  "stalled HTTP/1.1 body": async ({ port, isTls }) => {
    const socket = await openHttp1(port, isTls);
    socket.write(
      `POST ${service}/Echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    );
    await untilClosed(socket);
  },
  "unread answer": async ({ port, isTls }) => {
    const client = await RawHttp2.connect(port, isTls);
    client.request(1, requestHeaders(`${service}/Download`));
    const request = Buffer.from([0, 0, 0, 0, 6, 0x08, 0x90, 0x4e, 0x10, 0x90, 0x4e]);
    client.send("DATA", flag.endStream, 1, request);
    await client.reset(1);
    client.socket.destroy();
  },
  "rapid reset": async ({ port, isTls }) => {
    const client = await RawHttp2.connect(port, isTls);
    for (let id = 1; id < 1_000 && client.socket.writable; id += 2) {
      client.request(id, echo);
      client.send("RST_STREAM", 0, id, Buffer.from([0, 0, 0, 8]));
    }
    await client.closed;
  },
  "ping flood": async ({ port, isTls }) => {
    const client = await RawHttp2.connect(port, isTls);
    for (let count = 0; count < 300; count++) client.send("PING", 0, 0, Buffer.alloc(8));
    await client.closed;
  },
  "settings flood": async ({ port, isTls }) => {
    const client = await RawHttp2.connect(port, isTls);
    for (let count = 0; count < 60; count++) client.send("SETTINGS", 0, 0);
    await client.closed;
  },
  smuggling: async ({ port, isTls }) => {
    const socket = await openHttp1(port, isTls);
    socket.write(
      `POST ${service}/Echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX`,
    );
    await untilClosed(socket);
  },
  noise: async ({ port, isTls }) => {
    const socket = await openHttp1(port, isTls);
    socket.write(Buffer.from(Array.from({ length: 2_000 }, (_, index) => (index * 7) % 251)));
    await untilClosed(socket);
  },
  "vanishes in a call": async ({ port, isTls }) => {
    const client = await RawHttp2.connect(port, isTls);
    client.request(1, requestHeaders(`${service}/Talk`));
    const half = encodeHeaders(echo).subarray(0, 20);
    client.send("DATA", 0, 1, half);
    client.socket.destroy();
    await client.closed;
  },
};

const PATIENCE_MS = 90_000;

export async function runBadClient(
  name: string,
  victim: Victim,
  tally: Tally,
  isOver: () => boolean,
): Promise<void> {
  const attack = attacks[name] as (victim: Victim) => Promise<unknown>;
  while (!isOver()) {
    await tally.expect(name, async () => {
      const abort = new AbortController();
      const tooLate = sleep(PATIENCE_MS, undefined, { signal: abort.signal }).then(() => {
        throw new Error("the server did not end it");
      });
      try {
        await Promise.race([attack(victim), tooLate]);
      } finally {
        abort.abort();
        tooLate.catch(() => {});
      }
    });
    await sleep(500);
  }
}

export const badClients = Object.keys(attacks);

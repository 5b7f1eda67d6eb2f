import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import * as http2 from "node:http2";
import type { Server as NetServer, Socket } from "node:net";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, type ConnectError, type Interceptor } from "@connectrpc/connect";
import { defineService, extendInterceptor } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { OnceRequestSchema, ScriptService } from "../../gen/connectum/script/v1/script_pb.js";
import { countResources } from "../../support/count-resources.ts";
import { withResolvers } from "../../support/with-resolvers.ts";
import { leftService, type Phase, phases, Visit } from "./phases.ts";
import { openHttp1, openHttp2, type Wire, wires } from "./raw-call.ts";

const ROUNDS = 4;
const passThrough: Interceptor = (next) => (request) => next(request);

for (const wire of wires) {
  describe(`a client that leaves over ${wire.name}`, () => {
    for (const phase of phases) {
      // A bidi stream needs HTTP/2.
      if (phase.method === "Talk" && wire.version === 1) continue;
      test(`ends ${phase.name} and leaves nothing behind`, async (t) => {
        let visit = new Visit();
        let arrived = withResolvers();
        const service = leftService(
          () => visit,
          () => phase,
        );
        const gate = () => arrived.resolve();
        const { server, port, baseUrl } = await createTestServer({
          t,
          services: [defineService(ScriptService, service)],
          interceptors: phase.isHandled ? [] : [extendInterceptor(passThrough, { gate })],
        });
        const sockets = new Set<Socket>();
        (server.transport as NetServer).on("connection", (socket) => sockets.add(socket));
        const counter = countResources(t);
        const session = wire.version === 2 ? http2.connect(baseUrl) : undefined;
        if (session) await once(session, "connect");
        t.after(() => session?.destroy());
        const path = `/${ScriptService.typeName}/${phase.method}`;
        const round = async () => {
          visit = new Visit();
          arrived = withResolvers();
          const contentType = phase.method === "Once" ? wire.unaryType : wire.streamType;
          const call = session
            ? openHttp2(session, path, contentType)
            : openHttp1(port, path, contentType);
          await phase.bring(call, visit, messageOf(wire, phase));
          if (!phase.isHandled) await arrived.promise;
          call.leave();
          if (!phase.isHandled) return;
          const signal = await visit.entered.promise;
          await visit.finished.promise;
          if (!signal.aborted) await once(signal, "abort");
          assert.equal((signal.reason as ConnectError).code, Code.Canceled);
          assert.equal(getEventListeners(signal, "abort").length, 0);
        };
        await round();
        await counter.settled({ timers: Number.POSITIVE_INFINITY, streams: 0 });
        const before = { open: counter.open, listeners: listenersOf(sockets) };
        for (let count = 0; count < ROUNDS; count++) await round();
        await counter.settled(before.open);
        if (session) assert.equal(listenersOf(sockets), before.listeners);
        else await Promise.all([...sockets].map(closed));
      });
    }
  });
}

/** A request message of 100 bytes of text, framed as the wire wants it. */
function messageOf({ name }: Wire, { method }: Phase): Buffer {
  const init = { content: { text: "x".repeat(100) } };
  const bytes = Buffer.from(toBinary(OnceRequestSchema, create(OnceRequestSchema, init)));
  if (name.startsWith("Connect") && method === "Once") return bytes;
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.byteLength, 1);
  const frame = Buffer.concat([prefix, bytes]);
  return name.includes("text") ? Buffer.from(frame.toString("base64")) : frame;
}

function closed(socket: Socket): Promise<void> | undefined {
  if (socket.closed) return undefined;
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

function listenersOf(sockets: Iterable<Socket>): number {
  let count = 0;
  for (const socket of sockets) {
    for (const name of socket.eventNames()) count += socket.listenerCount(name);
  }
  return count;
}

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import {
  ChatService,
  JoinRequestSchema,
  JoinResponseSchema,
} from "../../examples/chat/gen/chat/v1/chat_pb.js";
import { main as startServer } from "../../examples/chat/server.ts";

const enter = (value: string) => ({ event: { case: "enter", value } }) as const;
const say = (value: string) => ({ event: { case: "say", value } }) as const;

/** A started server, and members of its room on connections of their own. */
async function startRoom(t: TestContext) {
  const server = await startServer(0);
  const { port } = server.address as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}`;
  const managers: Http2SessionManager[] = [];
  t.after(async () => {
    for (const manager of managers) manager.abort();
    if (server.isRunning) await server.stop();
  });

  function join(name: string, signal?: AbortSignal) {
    const sessionManager = new Http2SessionManager(baseUrl);
    managers.push(sessionManager);
    const client = createClient(ChatService, createGrpcTransport({ baseUrl, sessionManager }));
    const mouth = new PassThrough({ objectMode: true });
    mouth.write(enter(name));
    const events = client.join(mouth, { signal })[Symbol.asyncIterator]();
    const next = async () => {
      const result = await events.next();
      return result.done ? undefined : result.value.event;
    };
    return { mouth, next, sessionManager };
  }

  return { server, port, join };
}

/** A member who reads nothing until asked. Clients of gRPC libraries read ahead, so this is HTTP/2 bare. */
function joinSlowly(t: TestContext, port: number, name: string) {
  const session = connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  const call = session.request({
    ":method": "POST",
    ":path": `/${ChatService.typeName}/${ChatService.method.join.name}`,
    "content-type": "application/grpc",
    te: "trailers",
  });
  const request = toBinary(JoinRequestSchema, create(JoinRequestSchema, enter(name)));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(request.byteLength, 1);
  call.write(Buffer.concat([prefix, request]));
  return {
    answered: once(call, "response"),
    async *events() {
      let bytes = Buffer.alloc(0);
      for await (const chunk of call as AsyncIterable<Buffer>) {
        bytes = Buffer.concat([bytes, chunk]);
        while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
          const end = 5 + bytes.readUInt32BE(1);
          yield fromBinary(JoinResponseSchema, bytes.subarray(5, end)).event;
          bytes = bytes.subarray(end);
        }
      }
    },
  };
}

function start(t: TestContext, script: string, ...args: string[]) {
  const child = spawn(process.execPath, ["--import", "tsx", `examples/chat/${script}`, ...args], {
    env: { ...process.env, PORT: "0" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value as string | undefined;
  return { child, line, exited: once(child as ChildProcess, "exit") };
}

describe("the chat example", { timeout: 60_000 }, () => {
  test("two people talk, the server stops, and all three programs end well", async (t) => {
    const server = start(t, "server.ts");
    const [, port] = /port (\d+)/.exec((await server.line()) ?? "") ?? [];
    const ada = start(t, "client.ts", "Ada", `http://127.0.0.1:${port}`);
    assert.equal(await ada.line(), "* Ada entered");
    const grace = start(t, "client.ts", "Grace", `http://127.0.0.1:${port}`);
    assert.equal(await grace.line(), "* Grace entered");
    assert.equal(await ada.line(), "* Grace entered");
    ada.child.stdin.write("hello\n");
    for (const { line } of [ada, grace]) assert.equal(await line(), "Ada: hello");
    server.child.kill("SIGTERM");
    for (const { line } of [ada, grace]) {
      assert.equal(await line(), "* the room closes");
      assert.equal(await line(), undefined);
    }
    for (const { exited } of [ada, grace, server]) assert.deepEqual(await exited, [0, null]);
  });

  test("a slow reader is told what it missed, and nobody waits for it", async (t) => {
    const { join, port } = await startRoom(t);
    const slow = joinSlowly(t, port, "slow");
    await slow.answered;
    const quick = join("quick");
    assert.equal((await quick.next())?.case, "entered");
    const count = 500;
    const padding = "x".repeat(8 * 1024);
    for (let index = 0; index < count; index++) {
      quick.mouth.write(say(`${index} ${padding}`));
      const event = await quick.next();
      assert.ok(event?.case === "said" && event.value.text.startsWith(`${index} `));
    }
    quick.mouth.end();
    assert.equal(await quick.next(), undefined);

    let missed = 0;
    const heard: number[] = [];
    for await (const event of slow.events()) {
      if (event.case === "missed") missed += event.value;
      if (event.case === "said") heard.push(Number.parseInt(event.value.text, 10));
      if (event.case === "left") break;
    }
    assert.ok(missed > 0, "nothing was dropped");
    // "quick entered" is read or dropped like any other event.
    assert.ok([count, count + 1].includes(heard.length + missed), `${heard.length} and ${missed}`);
    assert.deepEqual(
      heard,
      [...heard].sort((one, other) => one - other),
    );
    assert.equal(heard.at(-1), count - 1);
  });

  test("who vanishes frees the seat", async (t) => {
    const { join } = await startRoom(t);
    const ada = join("Ada");
    await ada.next();
    const leaving = new AbortController();
    const cancelled = join("Grace", leaving.signal);
    await cancelled.next();
    const broken = join("Edsger");
    await broken.next();
    for (const value of ["Grace", "Edsger"]) {
      assert.deepEqual(await ada.next(), { case: "entered", value });
    }
    leaving.abort();
    assert.deepEqual(await ada.next(), { case: "left", value: "Grace" });
    broken.sessionManager.abort();
    assert.deepEqual(await ada.next(), { case: "left", value: "Edsger" });
    const again = join("Grace");
    assert.deepEqual(await again.next(), { case: "entered", value: "Grace" });
  });

  test("a name is needed, once, and nobody else's", async (t) => {
    const { join } = await startRoom(t);
    const ada = join("Ada");
    await ada.next();
    await assert.rejects(join("Ada").next(), { code: Code.AlreadyExists });
    await assert.rejects(join("").next(), { code: Code.InvalidArgument });
    ada.mouth.write(enter("Grace"));
    await assert.rejects(ada.next(), { code: Code.InvalidArgument });
  });

  test("a stop ends the streams at once, and with them the drain", async (t) => {
    const { server, join } = await startRoom(t);
    const ada = join("Ada");
    await ada.next();
    const stopped = server.stop();
    assert.deepEqual(await ada.next(), { case: "closing", value: true });
    assert.equal(await ada.next(), undefined);
    await stopped;
  });
});

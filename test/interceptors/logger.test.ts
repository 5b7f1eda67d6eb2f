import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { AnySchema, anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { context, type Span, trace } from "@opentelemetry/api";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { defineService, requestIdKey } from "connectum/core";
import { createLoggerInterceptor, type LoggerLike } from "connectum/interceptors";
import { createTestServer } from "connectum/testing";
import { pino } from "pino";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { createTransport } from "../support/transports.ts";
import { callKind, everywhere, failure, localClient, scripted } from "./doors.ts";
import {
  type Account,
  AccountSchema,
  GuardedService,
} from "./gen/connectum/guarded/v1/guarded_pb.js";
import { accountWithSecrets } from "./secrets.ts";
import { turn } from "./turn.ts";

type Line = Record<string, unknown> & { level: string };

function collector() {
  const lines: Line[] = [];
  const at = (level: string) => (details: object, message: string) =>
    void lines.push({ level, message, ...details });
  const logger: LoggerLike = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
  return { lines, logger };
}

describe("createLoggerInterceptor", () => {
  test("one line per call, when it ends, with everything that is known of it", async (t) => {
    const { lines, logger } = collector();
    const services = [
      scripted(async function* () {
        assert.equal(lines.length, 0, "the call has not ended yet");
        yield "one";
        yield "two";
        assert.equal(lines.length, 0, "the stream has not ended yet");
      }),
    ];
    const interceptors = [createLoggerInterceptor({ logger })];
    await everywhere(t, { services, interceptors }, async (client, kind, door) => {
      lines.length = 0;
      await callKind(client, kind, { headers: { "x-request-id": "id-1", "user-agent": "tester" } });
      while (lines.length === 0) await turn();
      assert.equal(lines.length, 1);
      const { durationMs, peer, userAgent, ...line } = lines[0] as Line;
      assert.ok(typeof durationMs === "number" && durationMs >= 0);
      if (door === "in process") assert.equal(peer, "in-process");
      else assert.match(String(peer), /^127\.0\.0\.1:\d+$/);
      assert.match(String(userAgent), /^(tester|connect-es|grpc-es)/);
      const methods = {
        unary: "Look",
        "server streaming": "Download",
        "client streaming": "Upload",
      };
      const [name = "", ...version] = door.split(" ");
      assert.deepEqual(line, {
        level: "info",
        message: "call ended",
        method: `connectum.script.v1.ScriptService/${methods[kind as "unary"] ?? "Talk"}`,
        kind: kind.replace(" ", "_"),
        protocol: door === "in process" ? "grpc" : name.toLowerCase(),
        transport: version[0] === "process" ? "in-process" : "http",
        code: "ok",
        requestId: "id-1",
        traceId: undefined,
        spanId: undefined,
        requestMessages: kind === "unary" ? undefined : kind === "server streaming" ? 1 : 2,
        responseMessages: kind === "unary" ? undefined : kind === "client streaming" ? 1 : 2,
        request: undefined,
        response: undefined,
      });
    });
  });

  test("errors of the server's making at error, the client's at warn, the rest at level", async (t) => {
    const { lines, logger } = collector();
    let thrown: unknown;
    const client = await localClient(
      t,
      [createLoggerInterceptor({ logger, level: "debug" })],
      async function* () {
        if (thrown !== undefined) throw thrown;
        yield "text";
      },
    );
    const levels: Record<string, string[]> = { debug: [], warn: [], error: [] };
    await client.once({});
    for (const code of Object.values(Code).filter((code) => typeof code === "number")) {
      thrown = new ConnectError("why", code);
      await failure(client.once({}));
    }
    for (const { level, code } of lines) levels[level]?.push(String(code));
    assert.deepEqual(levels, {
      debug: ["ok", "canceled"],
      warn: [
        "invalid_argument",
        "not_found",
        "already_exists",
        "permission_denied",
        "resource_exhausted",
        "failed_precondition",
        "aborted",
        "out_of_range",
        "unauthenticated",
      ],
      error: [
        "unknown",
        "deadline_exceeded",
        "unimplemented",
        "internal",
        "unavailable",
        "data_loss",
      ],
    });
    assert.equal(lines.find(({ code }) => code === "not_found")?.error, "why");
    thrown = new Error("secret of the server");
    await failure(client.once({}));
    assert.equal(lines.at(-1)?.err, thrown);
  });

  test("a stream that fails or is left has its line too", async (t) => {
    const { lines, logger } = collector();
    const client = await localClient(t, [createLoggerInterceptor({ logger })], async function* () {
      yield "one";
      throw new ConnectError("why", Code.DataLoss);
    });
    await callKind(client, "server streaming");
    assert.deepEqual(
      [lines.length, lines[0]?.code, lines[0]?.responseMessages],
      [1, "data_loss", 1],
    );
    const endless = await localClient(t, [createLoggerInterceptor({ logger })], async function* () {
      for (;;) yield "text";
    });
    const controller = new AbortController();
    for await (const _ of endless.download({}, { signal: controller.signal })) break;
    controller.abort();
    while (lines.length < 2) await turn();
    assert.equal(lines[1]?.code, "canceled");
  });

  test("the trace and span of the active span", async (t) => {
    new NodeTracerProvider().register();
    t.after(() => {
      context.disable();
      trace.disable();
    });
    const { lines, logger } = collector();
    const spanContext = {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      traceFlags: 1,
    };
    const span: Span = trace.wrapSpanContext(spanContext);
    const active: Interceptor = (next) => (request) =>
      context.with(trace.setSpan(context.active(), span), () => next(request));
    const client = await localClient(
      t,
      [active, createLoggerInterceptor({ logger })],
      async function* () {
        yield "text";
      },
    );
    await client.once({});
    const [{ traceId, spanId } = {} as Line] = lines;
    assert.deepEqual([traceId, spanId], [spanContext.traceId, spanContext.spanId]);
  });

  test("the request id goes back to the client, made up if theirs is not fit for a log", async (t) => {
    const { lines, logger } = collector();
    const { baseUrl } = await createTestServer({
      t,
      services: [
        scripted(async function* () {
          yield "text";
        }),
      ],
      interceptors: [createLoggerInterceptor({ logger })],
    });
    const client = createClient(ScriptService, createTransport("Connect h1", baseUrl));
    for (const given of ["order-17", "x".repeat(129), "a b"]) {
      let returned: string | null = null;
      await client.once(
        {},
        {
          headers: { "x-request-id": given },
          onHeader: (header) => {
            returned = header.get("x-request-id");
          },
        },
      );
      assert.equal(lines.at(-1)?.requestId, returned);
      if (given === "order-17") assert.equal(returned, given);
      else assert.match(String(returned), /^[0-9a-f-]{36}$/);
    }
  });

  test("reading the request id does not send a stream's headers before the handler has set its own", async (t) => {
    const reads: string[] = [];
    const read: Interceptor = (next) => (request) => {
      reads.push(request.contextValues.get(requestIdKey));
      return next(request);
    };
    const { baseUrl } = await createTestServer({
      t,
      services: [
        scripted(async function* ({ responseHeader }) {
          await turn();
          responseHeader.set("x-late", "1");
          yield "text";
        }),
      ],
      interceptors: [read],
    });
    const client = createClient(ScriptService, createTransport("gRPC h2", baseUrl));
    let header = new Headers();
    const onHeader = (value: Headers) => {
      header = value;
    };
    for await (const _ of client.download({}, { onHeader }));
    assert.equal(header.get("x-late"), "1");
    assert.equal(header.get("x-request-id"), reads[0]);
  });

  test("payloads never show a marked field, wherever it is", async (t) => {
    const { lines, logger } = collector();
    const account = accountWithSecrets();
    const { server } = await createTestServer({
      t,
      services: [
        defineService(GuardedService, {
          save: () => ({ name: "seen", account }),
          async *list() {
            yield { account };
          },
        }),
      ],
      interceptors: [createLoggerInterceptor({ logger, payloads: true, maxPayloadBytes: 100_000 })],
    });
    const client = server.localClient(GuardedService);
    await client.save({ name: "visible", account });
    for await (const _ of client.list({ name: "visible" }));
    assert.equal(lines.length, 2);
    const text = JSON.stringify(lines);
    assert.ok(!text.includes("SECRET"), text);
    assert.ok(!text.includes("424242"), text);
    assert.ok(!text.includes(Buffer.from("SECRET").toString("base64")), text);
    assert.match(String(lines[0]?.request), /"name":"visible"/);
    assert.match(String(lines[0]?.response), /"owner":"owner of the deputy"/);
    assert.match(String(lines[0]?.response), /"password":"\*\*\*"/);
    assert.match(String(lines[1]?.response), /owner of a child/);
    // What was logged is a copy.
    assert.equal((account as Account).password, "SECRET");
  });

  test("payloads are cut, and what cannot be written breaks no call", async (t) => {
    const { lines, logger } = collector();
    const { server } = await createTestServer({
      t,
      services: [
        defineService(GuardedService, {
          save: ({ name }) => ({
            name,
            account: { extra: { typeUrl: "x/unknown.Type", value: new Uint8Array(9) } },
          }),
        }),
      ],
      interceptors: [createLoggerInterceptor({ logger, payloads: true, maxPayloadBytes: 30 })],
    });
    const client = server.localClient(GuardedService);
    await client.save({ name: "ä".repeat(100) });
    const request = String(lines[0]?.request);
    assert.ok(Buffer.byteLength(request) <= 33 && request.endsWith("ä…"), request);
    await client.save({ name: "short", account: { owner: "\ud800" } });
    assert.equal(lines.length, 2);
    const broken = { ...logger, info: () => assert.fail("full disk") };
    const other = await localClient(
      t,
      [createLoggerInterceptor({ logger: broken })],
      async function* () {
        yield "text";
      },
    );
    assert.equal((await other.once({})).content?.text, "text");
  });

  test("an Any of an unknown type is not shown", async (t) => {
    const { lines, logger } = collector();
    const { server } = await createTestServer({
      t,
      services: [defineService(GuardedService, { save: () => ({}) })],
      interceptors: [createLoggerInterceptor({ logger, payloads: true })],
    });
    const client = server.localClient(GuardedService);
    const unknown = create(AnySchema, { typeUrl: "x/unknown.Type", value: Buffer.from("SECRET") });
    const known = anyPack(
      AccountSchema,
      create(AccountSchema, { owner: "me", password: "SECRET" }),
    );
    await client.save({ account: { extra: unknown } });
    await client.save({ account: { extra: known } });
    assert.ok(!JSON.stringify(lines).includes("SECRET"));
    assert.match(String(lines[1]?.request), /"owner":"me"/);
  });

  test("skip has no lines, health by default", async (t) => {
    const { lines, logger } = collector();
    const skip = ["connectum.script.v1.ScriptService/Look"];
    const client = await localClient(
      t,
      [createLoggerInterceptor({ logger, skip })],
      async function* () {
        yield "text";
      },
    );
    await client.look({});
    await client.once({});
    assert.deepEqual(
      lines.map(({ method }) => method),
      ["connectum.script.v1.ScriptService/Once"],
    );
  });

  test("takes pino, and uses pino where it is given nothing", async (t) => {
    const written: string[] = [];
    const logger = pino({ level: "info" }, { write: (line: string) => void written.push(line) });
    const client = await localClient(t, [createLoggerInterceptor({ logger })], async function* () {
      yield "text";
    });
    await client.once({});
    const line = JSON.parse(written[0] ?? "");
    assert.deepEqual([line.msg, line.code, line.transport], ["call ended", "ok", "in-process"]);
    createLoggerInterceptor();
  });

  test("refuses options that cannot work", () => {
    assert.throws(
      () => createLoggerInterceptor({ logger: 1 as never }),
      /logger\.logger must be a Logger with debug\(\), info\(\), warn\(\) and error\(\), got 1/,
    );
    assert.throws(
      () => createLoggerInterceptor({ level: "loud" as never }),
      /logger.level must be one of/,
    );
    assert.throws(() => createLoggerInterceptor({ maxPayloadBytes: 0 }), /logger.maxPayloadBytes/);
    assert.throws(() => createLoggerInterceptor({ skip: ["?"] }), /logger.skip takes/);
  });
});

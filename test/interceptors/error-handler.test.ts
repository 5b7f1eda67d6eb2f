import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  createErrorHandlerInterceptor,
  type FailedCall,
  isSanitizableError,
} from "connectum/interceptors";
import { assertConnectError, createTestServer } from "connectum/testing";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { callKind, everywhere, failure, localClient, scripted } from "./doors.ts";

const secret = "postgres://user:pw@db";

/** What application code throws, none of it for clients. */
const secrets: Record<string, () => unknown> = {
  "an Error": () => new Error(secret),
  "an AggregateError": () => new AggregateError([new Error(secret)], secret),
  "a Mongo error with a number for a code": () => Object.assign(new Error(secret), { code: 11000 }),
  "an error whose number is an RPC code": () => Object.assign(new Error(secret), { code: 5 }),
  "a system error": () => Object.assign(new Error(secret), { code: "ECONNREFUSED" }),
  "a string": () => secret,
  "nothing at all": () => undefined,
  "an error with a secret cause": () => new Error("x", { cause: new Error(secret) }),
};

describe("createErrorHandlerInterceptor", () => {
  test("no client sees a word of a foreign error, before or after messages; onError sees all", async (t) => {
    for (const messages of [0, 2]) {
      for (const [name, create] of Object.entries(secrets)) {
        await t.test(`${name} after ${messages} messages`, async (t) => {
          const seen: FailedCall[] = [];
          const thrown = create();
          const services = [
            scripted(async function* () {
              for (let index = 0; index < messages; index++) yield `text ${index}`;
              throw thrown;
            }),
          ];
          const interceptors = [
            createErrorHandlerInterceptor({ onError: (failed) => void seen.push(failed) }),
          ];
          await everywhere(t, { services, interceptors }, async (client, kind) => {
            seen.length = 0;
            const { error, texts } = await callKind(client, kind);
            assert.equal(error?.code, Code.Internal);
            assert.equal(error.rawMessage, "internal error");
            assert.deepEqual(error.details, []);
            assert.ok(!JSON.stringify([...error.metadata]).includes("postgres"));
            const isStreamOut = kind === "server streaming" || kind === "bidi streaming";
            assert.equal(texts.length, isStreamOut ? messages : 0);
            assert.equal(seen.length, 1);
            assert.equal(seen[0]?.error, thrown);
            assert.equal(seen[0]?.code, Code.Internal);
            assert.match(seen[0]?.requestId ?? "", /^[0-9a-f-]{36}$/);
          });
        });
      }
    }
  });

  test("a ConnectError passes as it is", async (t) => {
    const services = [
      scripted(async function* () {
        yield "first";
        throw new ConnectError("no such thing", Code.NotFound, { "x-why": "gone" });
      }),
    ];
    const interceptors = [createErrorHandlerInterceptor()];
    await everywhere(t, { services, interceptors }, async (client, kind) => {
      const { error } = await callKind(client, kind);
      assert.equal(error?.code, Code.NotFound);
      assert.equal(error.rawMessage, "no such thing");
      assert.equal(error.metadata.get("x-why"), "gone");
    });
  });

  test("a SanitizableError sends its clientMessage, metadata and details", async (t) => {
    const detail = { desc: ScriptService.method.once.input, value: { content: { text: "hint" } } };
    class OutOfStock extends Error {
      readonly clientMessage = "sold out";
      readonly code = Code.FailedPrecondition;
      readonly serverDetails = { warehouse: secret };
      readonly details = [detail];
      readonly metadata = new Headers({ "x-stock": "0" });
    }
    class Denied extends ConnectError {
      readonly clientMessage = "not yours";
    }
    const errors = [
      [new OutOfStock(secret), "sold out", Code.FailedPrecondition],
      [new Denied(secret, Code.PermissionDenied), "not yours", Code.PermissionDenied],
      [Object.assign(new Error(secret), { clientMessage: "x", code: 11000 }), "x", Code.Internal],
    ] as const;
    for (const [thrown, message, code] of errors) {
      assert.ok(isSanitizableError(thrown));
      const client = await localClient(t, [createErrorHandlerInterceptor()], async function* () {
        yield* [];
        throw thrown;
      });
      const error = await failure(client.once({}));
      assert.equal(error.code, code);
      assert.equal(error.rawMessage, message);
      if (!(thrown instanceof OutOfStock)) continue;
      assert.equal(error.metadata.get("x-stock"), "0");
      assert.equal(error.findDetails(detail.desc)[0]?.content?.text, "hint");
    }
    assert.ok(!isSanitizableError({ clientMessage: "not an error" }));
  });

  test("mapError gives foreign errors a meaning, and may fail itself", async (t) => {
    const duplicate = Object.assign(new Error(secret), { code: 11000 });
    const mapError = (error: unknown) => {
      if (error === duplicate) return new ConnectError("exists", Code.AlreadyExists);
      throw new Error(secret);
    };
    const thrown: unknown[] = [duplicate, new Error("other")];
    const client = await localClient(
      t,
      [createErrorHandlerInterceptor({ mapError })],
      async function* () {
        yield* [];
        throw thrown.shift();
      },
    );
    await assertConnectError(client.once({}), Code.AlreadyExists);
    assert.equal((await failure(client.once({}))).rawMessage, "internal error");
  });

  test("an onError that fails does not fail the answer", async (t) => {
    const onError = () => {
      throw new Error(secret);
    };
    const client = await localClient(
      t,
      [createErrorHandlerInterceptor({ onError })],
      async function* () {
        yield* [];
        throw new ConnectError("busy", Code.Unavailable);
      },
    );
    assert.equal((await failure(client.once({}))).rawMessage, "busy");
  });

  test("an AbortError is canceled after the client left, deadline_exceeded after the deadline", async (t) => {
    const codes: Code[] = [];
    let entered = () => {};
    let told = () => {};
    const { server } = await createTestServer({
      t,
      services: [
        scripted(async function* ({ signal }) {
          yield* [];
          const aborted = once(signal, "abort");
          entered();
          await aborted;
          throw Object.assign(new Error("aborted"), { name: "AbortError" });
        }),
      ],
      interceptors: [
        createErrorHandlerInterceptor({
          onError: ({ code }) => {
            codes.push(code);
            told();
          },
        }),
      ],
    });
    const client = server.localClient(ScriptService);
    const controller = new AbortController();
    entered = () => controller.abort();
    let isTold = new Promise<void>((resolve) => {
      told = resolve;
    });
    await failure(client.once({}, { signal: controller.signal }));
    await isTold;
    entered = () => {};
    isTold = new Promise<void>((resolve) => {
      told = resolve;
    });
    await failure(client.once({}, { timeoutMs: 10 }));
    await isTold;
    assert.deepEqual(codes, [Code.Canceled, Code.DeadlineExceeded]);
  });

  test("logErrors writes every error to the logger, with its stack only if asked", async (t) => {
    for (const includeStackTrace of [false, true]) {
      const lines: Array<Record<string, unknown>> = [];
      const log = (details: object) => void lines.push(details as Record<string, unknown>);
      const logger = { debug: log, info: log, warn: log, error: log };
      const thrown = new Error(secret);
      const { server } = await createTestServer({
        t,
        services: [
          scripted(async function* () {
            yield* [];
            throw thrown;
          }),
        ],
        interceptors: [
          createErrorHandlerInterceptor({ logErrors: true, includeStackTrace, logger }),
        ],
        logger,
      });
      await failure(
        server.localClient(ScriptService).once({}, { headers: { "x-request-id": "id-1" } }),
      );
      assert.equal(lines.length, 1, "core does not log it a second time");
      const { err, ...rest } = lines[0] as Record<string, unknown>;
      assert.deepEqual(err, includeStackTrace ? thrown : { type: "Error", message: secret });
      assert.deepEqual(rest, {
        code: "internal",
        method: "connectum.script.v1.ScriptService/Once",
        requestId: "id-1",
        serverDetails: undefined,
      });
    }
  });

  test("without logErrors the server's own logger still gets what clients do not", async (t) => {
    const lines: object[] = [];
    const ignore = () => {};
    const thrown = new Error(secret);
    const { server } = await createTestServer({
      t,
      services: [
        scripted(async function* () {
          yield* [];
          throw thrown;
        }),
      ],
      interceptors: [createErrorHandlerInterceptor()],
      logger: { debug: ignore, info: ignore, warn: ignore, error: (line) => void lines.push(line) },
    });
    await failure(server.localClient(ScriptService).once({}));
    assert.deepEqual(
      lines.map((line) => (line as { err: unknown }).err),
      [thrown],
    );
  });

  test("refuses options that cannot work", () => {
    assert.throws(
      () => createErrorHandlerInterceptor({ mapError: 1 as never }),
      /errorHandler.mapError must be a function, got 1/,
    );
    assert.throws(
      () => createErrorHandlerInterceptor({ onErr: 1 } as never),
      /did you mean "onError"/,
    );
    assert.throws(
      () => createErrorHandlerInterceptor({ logger: {} as never }),
      /errorHandler.logger must be a Logger with debug\(\)/,
    );
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, createRegistry, type Registry } from "@bufbuild/protobuf";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createLocalTransport, defineService } from "connectum/core";
import { createValidationInterceptor } from "connectum/interceptors";
import { assertConnectError, createTestServer } from "connectum/testing";
import { ScriptService } from "../gen/connectum/script/v1/script_pb.js";
import { createTransport } from "../support/transports.ts";
import { doors, failure, scripted } from "./doors.ts";
import { GuardedService, SaveRequestSchema } from "./gen/connectum/guarded/v1/guarded_pb.js";
import {
  file_connectum_guarded_v1_predefined,
  PredefinedService,
} from "./gen/connectum/guarded/v1/predefined_pb.js";

function guarded(handled: string[] = [], answer = "ok") {
  return defineService(GuardedService, {
    save({ name }) {
      handled.push(name);
      return { name: answer };
    },
    async *list({ name }) {
      handled.push(name);
      yield {};
    },
    async import(requests) {
      for await (const { name } of requests) handled.push(name);
      return {};
    },
    async *sync(requests) {
      for await (const { name } of requests) {
        handled.push(name);
        yield {};
      }
    },
    broken: () => ({}),
  });
}

async function* names(...list: string[]) {
  for (const name of list) yield { name };
}

async function drain(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages);
}

describe("createValidationInterceptor", () => {
  test("no handler sees a request that breaks its rules; in streams the others pass", async (t) => {
    const handled: string[] = [];
    const { server, baseUrl } = await createTestServer({
      t,
      services: [guarded(handled)],
      interceptors: [createValidationInterceptor()],
    });
    for (const door of doors) {
      const transport =
        door === "in process" ? createLocalTransport(server) : createTransport(door, baseUrl);
      const client = createClient(GuardedService, transport);
      const calls: Array<[string, () => Promise<unknown>, string[]]> = [
        ["unary", () => client.save({ name: "x" }), []],
        ["server streaming", () => drain(client.list({ name: "x" })), []],
        ["client streaming", () => client.import(names("good", "x")), ["good"]],
        ["bidi streaming", () => drain(client.sync(names("good", "x"))), ["good"]],
      ];
      for (const [kind, call, expected] of calls) {
        if (kind === "bidi streaming" && door.endsWith("h1")) continue;
        await t.test(`${kind}, ${door}`, async () => {
          handled.length = 0;
          const error = await assertConnectError(call(), Code.InvalidArgument);
          assert.match(error.rawMessage, /^name: .+ \[string\.min_len\]$/);
          const [violations] = error.findDetails(ViolationsSchema);
          const [violation] = violations?.violations ?? [];
          assert.equal(violation?.ruleId, "string.min_len");
          assert.equal(violation?.field?.elements[0]?.fieldName, "name");
          assert.deepEqual(handled, expected);
        });
      }
      assert.equal((await client.save({ name: "fine" })).name, "ok");
    }
  });

  test("the message lists path and rule of every violation, within reason", async (t) => {
    const { server } = await createTestServer({
      t,
      services: [guarded()],
      interceptors: [createValidationInterceptor()],
    });
    const client = server.localClient(GuardedService);
    const long = "x".repeat(41);
    const error = await failure(client.save({ name: "x", age: 150, account: { id: long } }));
    const paths = error.rawMessage.split("; ").map((text) => text.replace(/: .* \[/, " ["));
    assert.deepEqual(paths, [
      "name [string.min_len]",
      "age [int32.gte_lt]",
      "account.id [string.max_len]",
    ]);
    const others = Array.from({ length: 90 }, () => ({ id: long }));
    const many = await failure(client.save({ name: "fine", others }));
    assert.match(many.rawMessage, /^others\[0\]\.id: .*; 80 more$/);
    assert.ok(many.rawMessage.length < 2_000);
    const [detail] = many.findDetails(ViolationsSchema);
    const count = detail?.violations.length ?? 0;
    assert.ok(count > 10 && count < 90, `${count}`);
  });

  test("more violations than a header can hold still reach every client", async (t) => {
    const { baseUrl } = await createTestServer({
      t,
      services: [guarded()],
      interceptors: [createValidationInterceptor()],
    });
    const others = Array.from({ length: 100 }, () => ({ id: "x".repeat(41) }));
    const client = createClient(GuardedService, createTransport("gRPC h2", baseUrl));
    const error = await assertConnectError(
      client.save({ name: "fine", others }),
      Code.InvalidArgument,
    );
    assert.ok((error.findDetails(ViolationsSchema)[0]?.violations.length ?? 0) > 10);
  });

  test("validateResponses turns a bad answer into internal, without a word of it", async (t) => {
    for (const validateResponses of [false, true]) {
      const { server } = await createTestServer({
        t,
        services: [guarded([], "a name of far more than twenty letters")],
        interceptors: [createValidationInterceptor({ validateResponses })],
      });
      const call = server.localClient(GuardedService).save({ name: "fine" });
      if (!validateResponses) await call;
      else assert.equal((await failure(call)).rawMessage, "internal error");
    }
  });

  test("rules that do not compile: internal to the client, a warning at the start, the reason in the log", async (t) => {
    const lines: Array<[string, string]> = [];
    const note = (level: string) => (details: object, message: string) =>
      void lines.push([`${level} ${message}`, String((details as { err: Error }).err)]);
    const logger = {
      debug: note("debug"),
      info: note("info"),
      warn: note("warn"),
      error: note("error"),
    };
    const { server } = await createTestServer({
      t,
      services: [guarded()],
      interceptors: [createValidationInterceptor()],
      logger,
    });
    assert.equal(lines.length, 1);
    assert.match(
      lines[0]?.[0] ?? "",
      /^warn the validation rules of .*BrokenRequest do not compile/,
    );
    const error = await assertConnectError(
      server.localClient(GuardedService).broken({}),
      Code.Internal,
    );
    assert.equal(error.rawMessage, "internal error");
    assert.match(lines[1]?.[1] ?? "", /CompilationError/);
  });

  test("warmUp compiles before a server does, and tells what does not compile", () => {
    const failures = createValidationInterceptor().warmUp(GuardedService, ScriptService);
    assert.deepEqual([...failures.keys()], ["connectum.guarded.v1.BrokenRequest"]);
  });

  test("messages without rules are not looked at, skipped methods neither", async (t) => {
    const { server } = await createTestServer({
      t,
      services: [
        guarded(),
        scripted(async function* () {
          yield "text";
        }),
      ],
      interceptors: [createValidationInterceptor({ skipMethods: ["connectum.guarded.*"] })],
    });
    await server.localClient(GuardedService).save({ name: "x" });
    await server.localClient(ScriptService).once({});
  });

  test("registry has the predefined rules of one's own, which do not compile without it", async (t) => {
    const shouting = defineService(PredefinedService, { shout: () => ({}) });
    const shouter = async (registry?: Registry) => {
      const interceptors = [createValidationInterceptor({ registry })];
      const { server } = await createTestServer({ t, services: [shouting], interceptors });
      return server.localClient(PredefinedService);
    };
    const client = await shouter(createRegistry(file_connectum_guarded_v1_predefined));
    await client.shout({ text: "ADA" });
    const refused = await assertConnectError(client.shout({ text: "Ada" }), Code.InvalidArgument);
    assert.match(refused.rawMessage, /text.*string\.shouted/);
    await assertConnectError((await shouter()).shout({ text: "ADA" }), Code.Internal);
  });

  test("on a client the request does not even leave", async (t) => {
    const handled: string[] = [];
    const { server } = await createTestServer({ t, services: [guarded(handled)] });
    const transport = createLocalTransport(server, {
      interceptors: [createValidationInterceptor()],
    });
    const client = createClient(GuardedService, transport);
    const error = await assertConnectError(
      client.save(create(SaveRequestSchema, { name: "x" })),
      Code.InvalidArgument,
    );
    assert.deepEqual(handled, []);
    assert.ok(error instanceof ConnectError);
  });

  test("refuses options that cannot work", () => {
    assert.throws(
      () => createValidationInterceptor({ validateResponses: 1 as never }),
      /validation.validateResponses must be true or false, got 1/,
    );
  });
});

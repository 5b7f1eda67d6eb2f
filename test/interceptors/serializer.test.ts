import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type JsonValue, toJson } from "@bufbuild/protobuf";
import { anyPack, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, createClient, type ServiceImpl } from "@connectrpc/connect";
import { createLocalTransport, defineService } from "connectum/core";
import { createSerializerInterceptor, createValidationInterceptor } from "connectum/interceptors";
import { assertConnectError, createTestServer } from "connectum/testing";
import { createTransport } from "../support/transports.ts";
import { doors, failure } from "./doors.ts";
import {
  AccountSchema,
  Everything_Color,
  EverythingSchema,
  GuardedService,
  SaveResponseSchema,
} from "./gen/connectum/guarded/v1/guarded_pb.js";

const everything = create(EverythingSchema, {
  data: new Uint8Array([0, 255, 1]),
  at: timestampFromMs(1_700_000_000_123),
  took: { seconds: 3n, nanos: 500_000_000 },
  any: anyPack(AccountSchema, create(AccountSchema, { owner: "me" })),
  totals: { a: 9_007_199_254_740_993n },
  color: Everything_Color.RED,
  big: 18_446_744_073_709_551_615n,
  ratio: Number.NaN,
  note: "wrapped",
  colors: [Everything_Color.RED, Everything_Color.UNSPECIFIED],
});

const everythingJson = {
  data: "AP8B",
  at: "2023-11-14T22:13:20.123Z",
  took: "3.500s",
  any: { "@type": "type.googleapis.com/connectum.guarded.v1.Account", owner: "me" },
  totals: { a: "9007199254740993" },
  color: "COLOR_RED",
  big: "18446744073709551615",
  ratio: "NaN",
  note: "wrapped",
  colors: ["COLOR_RED", "COLOR_UNSPECIFIED"],
};

/** Handlers of JSON, which no type of connect-es describes. */
function service(implementation: Record<string, unknown>) {
  return defineService(
    GuardedService,
    implementation as Partial<ServiceImpl<typeof GuardedService>>,
  );
}

describe("createSerializerInterceptor", () => {
  test("handlers get and give JSON, clients messages, on every way and in every kind", async (t) => {
    const seen: unknown[] = [];
    const response = { account: { owner: "me", parent: { pin: "7" } } };
    const { server, baseUrl } = await createTestServer({
      t,
      services: [
        service({
          save: (request: JsonValue) => {
            seen.push(request);
            return response;
          },
          async *list(request: JsonValue) {
            seen.push(request);
            yield response;
          },
          async import(requests: AsyncIterable<JsonValue>) {
            for await (const request of requests) seen.push(request);
            return response;
          },
          async *sync(requests: AsyncIterable<JsonValue>) {
            for await (const request of requests) {
              seen.push(request);
              yield response;
            }
          },
        }),
      ],
      interceptors: [createSerializerInterceptor()],
    });
    for (const door of doors) {
      const transport =
        door === "in process" ? createLocalTransport(server) : createTransport(door, baseUrl);
      const client = createClient(GuardedService, transport);
      const names = async function* () {
        yield { name: "one" };
      };
      const calls: Array<[string, () => Promise<{ account?: { parent?: { pin: bigint } } }>]> = [
        ["unary", () => client.save({ name: "one" })],
        ["server streaming", () => last(client.list({ name: "one" }))],
        ["client streaming", () => client.import(names())],
        ["bidi streaming", () => last(client.sync(names()))],
      ];
      for (const [kind, call] of calls) {
        if (kind === "bidi streaming" && door.endsWith("h1")) continue;
        await t.test(`${kind}, ${door}`, async () => {
          seen.length = 0;
          assert.equal((await call()).account?.parent?.pin, 7n);
          assert.deepEqual(seen, [{ name: "one" }]);
        });
      }
    }
  });

  test("bytes, times, Any, maps, enums and 64-bit integers survive", async (t) => {
    const { server, baseUrl } = await createTestServer({
      t,
      services: [service({ save: () => ({ everything: everythingJson }) })],
      interceptors: [createValidationInterceptor(), createSerializerInterceptor()],
    });
    for (const transport of [createLocalTransport(server), createTransport("gRPC h2", baseUrl)]) {
      const answer = await createClient(GuardedService, transport).save({ name: "name" });
      assert.deepEqual(answer, create(SaveResponseSchema, { everything }));
    }
  });

  test("a handler may give a message all the same", async (t) => {
    const { server } = await createTestServer({
      t,
      services: [service({ save: () => create(SaveResponseSchema, { name: "message" }) })],
      interceptors: [createSerializerInterceptor()],
    });
    assert.equal((await server.localClient(GuardedService).save({})).name, "message");
  });

  test("a member that is undefined counts as absent, as in JSON", async (t) => {
    const account = { owner: "me", parent: undefined, children: [{ owner: undefined }] };
    const { server } = await createTestServer({
      t,
      services: [service({ save: () => ({ name: undefined, account }) })],
      interceptors: [createSerializerInterceptor()],
    });
    const answer = await server.localClient(GuardedService).save({});
    assert.deepEqual([answer.name, answer.account?.children.length], ["", 1]);
  });

  test("skipped methods keep their messages", async (t) => {
    const seen: unknown[] = [];
    const { server } = await createTestServer({
      t,
      services: [
        service({
          save: ({ $typeName }: { $typeName?: string }) => {
            seen.push($typeName);
            return {};
          },
        }),
      ],
      interceptors: [createSerializerInterceptor({ skipMethods: ["connectum.*"] })],
    });
    await server.localClient(GuardedService).save({});
    assert.deepEqual(seen, ["connectum.guarded.v1.SaveRequest"]);
  });

  test("jsonOptions are those of the handlers' JSON", async (t) => {
    const seen: unknown[] = [];
    const { server } = await createTestServer({
      t,
      services: [
        service({
          list: async function* (request: JsonValue) {
            seen.push(request);
            yield {};
          },
        }),
      ],
      interceptors: [createSerializerInterceptor({ jsonOptions: { alwaysEmitImplicit: true } })],
    });
    await last(server.localClient(GuardedService).list({}));
    assert.deepEqual(seen, [{ name: "" }]);
  });

  test("what cannot be converted: invalid_argument for a request, internal for an answer", async (t) => {
    const { server } = await createTestServer({
      t,
      services: [service({ save: () => ({ nameless: 1 }) })],
      interceptors: [createSerializerInterceptor()],
    });
    const client = server.localClient(GuardedService);
    const extra = { typeUrl: "x/unknown.Type", value: new Uint8Array(3) };
    await assertConnectError(client.save({ account: { extra } }), Code.InvalidArgument);
    assert.equal((await failure(client.save({}))).rawMessage, "internal error");
    assert.ok(toJson(AccountSchema, create(AccountSchema)));
  });

  test("refuses options that cannot work", () => {
    assert.throws(
      () => createSerializerInterceptor({ jsonOptions: null as never }),
      /serializer.jsonOptions must be an object, got null/,
    );
    assert.throws(
      () => createSerializerInterceptor({ skipMethods: ["/x"] }),
      /serializer.skipMethods takes/,
    );
  });
});

async function last<T>(messages: AsyncIterable<T>): Promise<T> {
  let found: T | undefined;
  for await (const message of messages) found = message;
  return found as T;
}

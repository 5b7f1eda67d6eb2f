import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, createRegistry, type Message, toJsonString } from "@bufbuild/protobuf";
import { createClient, createContextKey, type Interceptor } from "@connectrpc/connect";
import { createLocalTransport, defineService } from "connectum/core";
import { createRedactInterceptor, createSerializerInterceptor } from "connectum/interceptors";
import { createTestServer } from "connectum/testing";
import { createTransport } from "../support/transports.ts";
import { doors } from "./doors.ts";
import {
  type Account,
  AccountSchema,
  file_connectum_guarded_v1_guarded,
  GuardedService,
} from "./gen/connectum/guarded/v1/guarded_pb.js";
import { accountWithSecrets } from "./secrets.ts";

const registry = createRegistry(file_connectum_guarded_v1_guarded);

function service(account: Account) {
  return defineService(GuardedService, {
    save: () => ({ name: "name", account }),
    async *list() {
      yield { account };
    },
    async import(requests) {
      for await (const _ of requests);
      return { account };
    },
    async *sync(requests) {
      for await (const _ of requests) yield { account };
    },
  });
}

async function* one() {
  yield { name: "name" };
}

async function first(messages: AsyncIterable<{ account?: Account }>) {
  let found: { account?: Account } = {};
  for await (const message of messages) found = message;
  return found;
}

function json(account: Account | undefined): string {
  return toJsonString(AccountSchema, account as Account & Message, { registry });
}

describe("createRedactInterceptor", () => {
  test("masks marked fields wherever they are, on every way and in every kind", async (t) => {
    const account = accountWithSecrets();
    const { server, baseUrl } = await createTestServer({
      t,
      services: [service(account)],
      interceptors: [createRedactInterceptor()],
    });
    const before = json(account);
    for (const door of doors) {
      const transport =
        door === "in process" ? createLocalTransport(server) : createTransport(door, baseUrl);
      const client = createClient(GuardedService, transport);
      const calls: Array<[string, () => Promise<{ account?: Account }>]> = [
        ["unary", () => client.save({ name: "name" })],
        ["server streaming", () => first(client.list({ name: "name" }))],
        ["client streaming", () => client.import(one())],
        ["bidi streaming", () => first(client.sync(one()))],
      ];
      for (const [kind, call] of calls) {
        if (kind === "bidi streaming" && door.endsWith("h1")) continue;
        await t.test(`${kind}, ${door}`, async () => {
          const text = json((await call()).account);
          assert.ok(!text.includes("SECRET") && !text.includes("424242"), text);
          assert.ok(!text.includes(Buffer.from("SECRET").toString("base64")), text);
          for (const owner of ["the parent", "a child", "a phone", "the deputy"]) {
            assert.ok(text.includes(`"owner of ${owner}"`), owner);
          }
          assert.ok(text.includes("owner in a map") && text.includes("owner in an Any"));
          assert.ok(text.includes('"phone":"***"'));
        });
      }
    }
    assert.equal(json(account), before, "the handler's message stays as it is");
  });

  test("mask and fields, in JSON of the serializer as well", async (t) => {
    const { server } = await createTestServer({
      t,
      services: [
        defineService(GuardedService, {
          save: () => ({ name: "name", account: { owner: "me", password: "SECRET" } }) as never,
        }),
      ],
      interceptors: [
        createSerializerInterceptor(),
        createRedactInterceptor({ mask: "-", fields: ["connectum.guarded.v1.SaveResponse.name"] }),
      ],
    });
    const { name, account } = await server.localClient(GuardedService).save({});
    assert.deepEqual([name, account?.owner, account?.password], ["-", "me", "-"]);
  });

  test("unless shows everything to those who may see it", async (t) => {
    const role = createContextKey("");
    const authenticate: Interceptor = (next) => (request) => {
      request.contextValues.set(role, request.header.get("x-role") ?? "");
      return next(request);
    };
    const { server } = await createTestServer({
      t,
      services: [service(create(AccountSchema, { password: "SECRET" }))],
      interceptors: [
        authenticate,
        createRedactInterceptor({
          unless: ({ contextValues }) => contextValues.get(role) === "admin",
        }),
      ],
    });
    const client = server.localClient(GuardedService);
    const asAdmin = { headers: { "x-role": "admin" } };
    assert.equal((await client.save({}, asAdmin)).account?.password, "SECRET");
    assert.equal((await client.save({})).account?.password, "***");
    assert.equal((await first(client.list({}, asAdmin))).account?.password, "SECRET");
  });

  test("a field that no service uses stops the start, for it would leave a secret in the open", async (t) => {
    for (const field of ["connectum.guarded.v1.Account.passwort", "other.Message.field"]) {
      const interceptors = [createRedactInterceptor({ fields: [field] })];
      await assert.rejects(
        createTestServer({ t, services: [service(accountWithSecrets())], interceptors }),
        /redact.fields has ".*", which no mounted service uses/,
      );
    }
  });

  test("refuses options that cannot work", () => {
    assert.throws(
      () => createRedactInterceptor({ fields: ["password"] }),
      /redact.fields takes names like "pkg.Message.field", got "password"/,
    );
    assert.throws(
      () => createRedactInterceptor({ fields: "a.b" as never }),
      /redact.fields must be an array, got "a.b"/,
    );
    assert.throws(
      () => createRedactInterceptor({ mask: 1 as never }),
      /redact.mask must be a string/,
    );
    assert.throws(
      () => createRedactInterceptor({ unless: true as never }),
      /redact.unless must be/,
    );
  });
});

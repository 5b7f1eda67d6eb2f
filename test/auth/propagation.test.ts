import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  createAuthInterceptor,
  createAuthzInterceptor,
  createGatewayAuthInterceptor,
  createInternalAuthInterceptor,
  getAuthContext,
  propagateAuth,
  runWithAuthContext,
  sharedSecretTrust,
} from "connectum/auth";
import {
  type CreateServerOptions,
  createServer,
  defineService,
  type Server,
  singleTransportResolver,
} from "connectum/core";
import { GuardedService } from "./gen/guarded/v1/guarded_pb.js";
import { WhoService } from "./gen/who/v1/who_pb.js";
import { bearer, doorsOf, kinds, refusal, startWho, transport } from "./support/doors.ts";
import { who } from "./support/who.ts";

const authenticate = () => createAuthInterceptor({ verifyCredentials: (subject) => ({ subject }) });
const anonymous = createAuthInterceptor({
  verifyCredentials: (subject) => ({ subject }),
  skipMethods: ["who.v1.*"],
});

/** GuardedService.Silent asks WhoService who calls, and says it. */
function chained(options: Partial<CreateServerOptions> = {}): Server {
  const server: Server = createServer({
    services: [
      defineService(WhoService, who),
      defineService(GuardedService, {
        async silent() {
          await turn();
          const { subject, ambient } = await server.client(WhoService).ask({});
          return { subject: `${getAuthContext()?.subject} > ${subject} ${ambient}` };
        },
        async open() {
          const seen: string[] = [];
          for (const call of Object.values(kinds)) {
            for (const { subject, ambient } of await call(server.client(WhoService))) {
              seen.push(subject, ambient);
            }
          }
          return { subject: [...new Set(seen)].join() };
        },
      }),
    ],
    ...options,
  });
  return server;
}

describe("identities in nested calls", () => {
  test("a callee in this process sees nobody, unless the caller's identity is propagated", async () => {
    const skipping = chained({ interceptors: [anonymous] });
    const { subject } = await skipping
      .localClient(GuardedService)
      .silent({}, { headers: bearer("ada") });
    assert.equal(subject, "ada > nobody nobody");

    const strict = chained({ interceptors: [authenticate()] });
    const error = await refusal(
      strict.localClient(GuardedService).silent({}, { headers: bearer("ada") }),
    );
    assert.equal(error.message, "[unauthenticated] Missing credentials");

    const propagating = chained({
      interceptors: [authenticate()],
      outgoingInterceptors: [propagateAuth()],
    });
    const answer = await propagating
      .localClient(GuardedService)
      .silent({}, { headers: bearer("ada") });
    assert.equal(answer.subject, "ada > ada ada");
  });

  test("propagated through every kind of method", async () => {
    const server = chained({
      interceptors: [authenticate()],
      outgoingInterceptors: [propagateAuth()],
    });
    const { subject } = await server
      .localClient(GuardedService)
      .open({}, { headers: bearer("ada") });
    assert.equal(subject, "ada");
  });

  test("credentials of the call's own win over what is propagated", async () => {
    const server: Server = createServer({
      services: [
        defineService(WhoService, who),
        defineService(GuardedService, {
          silent: () => server.client(WhoService).ask({}, { headers: bearer("batch") }) as never,
        }),
      ],
      interceptors: [authenticate()],
      outgoingInterceptors: [propagateAuth()],
    });
    const { subject } = await server
      .localClient(GuardedService)
      .silent({}, { headers: bearer("ada") });
    assert.equal(subject, "batch");
  });

  test("a remote service gets the headers, and believes them where it trusts this server", async (t) => {
    const trusting = await startWho(t, {
      interceptors: [createGatewayAuthInterceptor({ trustSource: { peer: ["127.0.0.1"] } })],
    });
    const strict = await startWho(t, { interceptors: [authenticate()] });
    const ask = (baseUrl: string) =>
      createServer({
        services: [],
        remoteResolver: singleTransportResolver(createGrpcTransport({ baseUrl })),
        outgoingInterceptors: [propagateAuth()],
      })
        .client(WhoService)
        .ask({}, { headers: { "x-auth-roles": '["root"]' } });
    const ada = { subject: "ada", type: "jwt", roles: [], scopes: [], claims: {} };
    const answer = await runWithAuthContext(ada, () => ask(trusting.baseUrl));
    assert.equal(answer.subject, "ada");
    await assert.rejects(runWithAuthContext(ada, () => ask(strict.baseUrl)));
    await assert.rejects(ask(trusting.baseUrl), { rawMessage: "Missing credentials" });
  });

  test("a propagated end user stays one: internal methods refuse", async () => {
    const secret = "x".repeat(32);
    const internalMethods = ["who.v1.WhoService/*"];
    const server = chained({
      interceptors: [
        createAuthInterceptor({
          verifyCredentials: (subject) => ({ subject }),
          skipMethods: internalMethods,
        }),
        createInternalAuthInterceptor({
          trustSource: sharedSecretTrust({ secrets: { orders: secret } }),
          internalMethods,
        }),
      ],
      outgoingInterceptors: [propagateAuth()],
    });
    const client = server.localClient(GuardedService);
    const error = await refusal(client.silent({}, { headers: bearer("ada") }));
    assert.equal(error.message, "[unauthenticated] Missing credentials");
  });

  test("outside of a call, and after it, there is nobody", async (t) => {
    const { client } = await startWho(t, { interceptors: [authenticate()] });
    for (const call of Object.values(kinds)) {
      await call(client("in process"), bearer("ada"));
      assert.equal(getAuthContext(), undefined);
      await turn();
      assert.equal(getAuthContext(), undefined);
    }
  });

  test("a generator's finally still knows who called, also when the caller leaves early", async (t) => {
    const ends: Array<string | undefined> = [];
    let ended = () => {};
    const { client } = await startWho(t, {
      interceptors: [authenticate()],
      services: [
        defineService(WhoService, {
          async *follow() {
            try {
              for (;;) {
                await turn();
                yield { subject: getAuthContext()?.subject };
              }
            } finally {
              ends.push(getAuthContext()?.subject);
              ended();
            }
          },
        }),
      ],
    });
    for (const door of doorsOf("server stream")) {
      const hasEnded = new Promise<void>((resolve) => {
        ended = resolve;
      });
      const leave = new AbortController();
      const options = { headers: bearer(door), signal: leave.signal };
      await assert.rejects(async () => {
        for await (const { subject } of client(door).follow({}, options)) {
          assert.equal(subject, door);
          leave.abort();
        }
      });
      await hasEnded;
    }
    assert.deepEqual(ends, doorsOf("server stream"));
  });
});

test("1000 concurrent users never see each other, in any kind of method", async (t) => {
  const started = await startWho(t, {
    interceptors: [authenticate(), createAuthzInterceptor({ defaultPolicy: "allow" })],
  });
  const clients = (["gRPC h2", "in process"] as const).map((door) =>
    createClient(WhoService, transport(started, door)),
  );
  const calls = Object.values(kinds);
  let answers = 0;
  await Promise.all(
    Array.from({ length: 1000 }, async (_, index) => {
      const name = `user-${index}`;
      const client = clients[index % clients.length] as (typeof clients)[0];
      for (const turn of [0, 2]) {
        const call = calls[((index >> 1) + turn) % calls.length] as (typeof calls)[0];
        for (const { subject, ambient } of await call(client, bearer(name))) {
          assert.deepEqual([subject, ambient], [name, name]);
          answers++;
        }
      }
    }),
  );
  assert.equal(answers, 3500);
});

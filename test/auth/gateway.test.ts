import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  createClientGatewayInterceptor,
  createGatewayAuthInterceptor,
  type GatewayAuthOptions,
  getAuthContext,
} from "connectum/auth";
import { createTestCertificates } from "connectum/testing";
import { createTransport } from "../support/transports.ts";
import { WhoService } from "./gen/who/v1/who_pb.js";
import { asker, MISSING } from "./support/ask.ts";
import { doorNames, kinds, refusal, startWho } from "./support/doors.ts";

const UNTRUSTED = "[unauthenticated] Untrusted request source";
const secret = "gateway-secret-of-32-characters!";
const headerMapping = { subject: "x-user-id", roles: "x-user-roles", name: "X-User-Name" };
const trustSource = { header: "x-gateway-secret", expectedValues: ["old-secret", secret] };
const good = { "x-gateway-secret": secret, "x-user-id": "ada" };

describe("createGatewayAuthInterceptor", () => {
  test("takes the identity from the gateway's headers, and removes them", async (t) => {
    const { client } = await startWho(t, {
      interceptors: [
        createGatewayAuthInterceptor({
          headerMapping,
          trustSource,
          stripHeaders: ["x-user-email"],
        }),
      ],
    });
    const headers = { ...good, "x-user-roles": "admin", "x-user-email": "a@b.c", "x-other": "1" };
    for (const door of doorNames) {
      const { subject, ambient, header } = await client(door).ask({}, { headers });
      assert.deepEqual([subject, ambient, header["x-other"]], ["ada", "ada", "1"], door);
      const left = Object.keys(header).filter((name) =>
        /^x-(user-(id|roles|name|email)|gateway|auth)/.test(name),
      );
      assert.deepEqual(left, [], door);
    }
  });

  test("refuses what does not come from the gateway", async () => {
    const ask = asker(createGatewayAuthInterceptor({ headerMapping, trustSource }));
    assert.equal(await ask(undefined, good), "ada");
    assert.equal(await ask(undefined, { ...good, "x-gateway-secret": "old-secret" }), "ada");
    for (const value of ["", "x", secret.slice(1), `${secret} `.repeat(2), `x, ${secret}`]) {
      assert.equal(await ask(undefined, { ...good, "x-gateway-secret": value }), UNTRUSTED, value);
    }
    assert.equal(await ask(undefined, { "x-user-id": "ada" }), UNTRUSTED);
    assert.equal(await ask(), UNTRUSTED);
    assert.equal(await ask(undefined, { "x-gateway-secret": secret }), MISSING);
    assert.equal(await ask(undefined, { ...good, "x-user-id": "" }), MISSING);
  });

  test("removes mapped and trust headers in every outcome, skipped methods included", async (t) => {
    const seen: string[] = [];
    const { client } = await startWho(t, {
      interceptors: [
        (next) => async (request) => {
          try {
            return await next(request);
          } finally {
            for (const [name] of request.header) {
              if (/^x-(user-(id|roles|name|email)|gateway|auth)/.test(name)) seen.push(name);
            }
          }
        },
        createGatewayAuthInterceptor({
          headerMapping,
          trustSource,
          skipMethods: ["who.v1.WhoService/Change"],
        }),
      ],
    });
    const forged = { "x-user-id": "root", "x-user-roles": "admin", "x-auth-subject": "root" };
    await refusal(client().ask({}, { headers: { ...forged, "x-gateway-secret": "wrong" } }));
    const { header } = await client().change({}, { headers: { ...good, ...forged } });
    assert.deepEqual(seen, []);
    assert.deepEqual(
      Object.keys(header).filter((name) =>
        /^x-(user-(id|roles|name|email)|gateway|auth)/.test(name),
      ),
      [],
    );
  });

  test("reads lists as JSON or with separators, and encoded text", async () => {
    let context: ReturnType<typeof getAuthContext>;
    const mapping = { subject: "a", name: "n", roles: "r", scopes: "s", claims: "c", type: "t" };
    const ask = asker(
      createGatewayAuthInterceptor({ headerMapping: mapping, trustSource }),
      (next) => (request) => {
        context = getAuthContext(request);
        return next(request);
      },
    );
    const send = (headers: Record<string, string>) =>
      ask(undefined, { "x-gateway-secret": secret, a: "ada", ...headers });
    await send({
      n: "Zo%C3%AB",
      r: "admin, user",
      s: "read  write",
      c: '{"tenant":"acme"}',
      t: "edge",
    });
    assert.deepEqual(context, {
      subject: "ada",
      name: "Zoë",
      roles: ["admin", "user"],
      scopes: ["read", "write"],
      claims: { tenant: "acme" },
      type: "edge",
    });
    await send({ r: '["a,b","c"]', s: '["x y"]' });
    assert.deepEqual([context?.roles, context?.scopes], [["a,b", "c"], ["x y"]]);
    assert.equal(context?.type, "gateway");
    const wrongs: Array<Record<string, string>> = [
      { r: "[1]" },
      { r: "[" },
      { c: "[]" },
      { c: "{" },
      { a: "%zz" },
    ];
    for (const wrong of wrongs) {
      assert.match(await send(wrong), /Authentication failed$/);
    }
  });

  const addresses: Array<[string[], string, boolean]> = [
    [["10.0.0.0/8"], "10.255.1.2", true],
    [["10.0.0.0/8"], "11.0.0.1", false],
    [["10.0.0.7"], "10.0.0.7", true],
    [["10.0.0.7"], "10.0.0.70", false],
    [["fd00::/8"], "fd12:3456::1", true],
    [["fd00::/8"], "fe80::1", false],
    [["2001:db8::1"], "2001:0db8:0:0::1", true],
    [["10.0.0.0/8"], "::ffff:10.1.2.3", true],
    [["10.0.0.0/8"], "10.0.0.1, 1.2.3.4", false],
    [["10.0.0.0/8"], "10.0.0.0/8", false],
    [["0.0.0.0/0"], "in-process", false],
  ];
  for (const [expectedValues, value, isTrusted] of addresses) {
    test(`a trust header of ${value} is ${isTrusted ? "" : "not "}in ${expectedValues}`, async () => {
      const ask = asker(
        createGatewayAuthInterceptor({
          headerMapping,
          trustSource: { header: "x-from", expectedValues },
        }),
      );
      const answer = await ask(undefined, { "x-user-id": "ada", "x-from": value });
      assert.equal(answer, isTrusted ? "ada" : UNTRUSTED);
    });
  }

  test("trusts the connection's own address, whatever headers say", async (t) => {
    const forwarded = {
      "x-user-id": "ada",
      "x-forwarded-for": "10.0.0.1",
      "x-real-ip": "10.0.0.1",
    };
    for (const [peer, expected] of [
      [["127.0.0.0/8", "::1"], "ada"],
      [["10.0.0.0/8"], UNTRUSTED],
    ] as const) {
      const interceptors = [createGatewayAuthInterceptor({ headerMapping, trustSource: { peer } })];
      const { client } = await startWho(t, { interceptors });
      const answer = await client("gRPC h2")
        .ask({}, { headers: forwarded })
        .then(
          ({ subject }) => subject,
          ({ message }) => message,
        );
      assert.equal(answer, expected);
      const local = await refusal(client("in process").ask({}, { headers: forwarded }));
      assert.equal(local.message, UNTRUSTED, "a caller in this process is no gateway");
    }
  });

  test("trusts a name in the verified client certificate", async (t) => {
    const authority = await createTestCertificates();
    const uri = "spiffe://mesh/gateway";
    const gateway = await authority.issue({ name: "gateway", uris: [uri] });
    const other = await authority.issue({ name: "other", uris: ["spiffe://mesh/other"] });
    const impostor = await (await createTestCertificates()).issue({ name: "gateway", uris: [uri] });
    const { baseUrl } = await startWho(t, {
      tls: { ...(await authority.issue()), ca: authority.ca, clientAuth: "request" },
      interceptors: [
        createGatewayAuthInterceptor({ headerMapping, trustSource: { tls: { uri } } }),
      ],
    });
    const answers: string[] = [];
    for (const pair of [gateway, other, impostor, undefined]) {
      const transport = createTransport("gRPC h2", baseUrl, { ca: authority.ca, ...pair });
      const call = createClient(WhoService, transport).ask({}, { headers: { "x-user-id": "ada" } });
      answers.push(
        await call.then(
          ({ subject }) => subject,
          ({ message }) => message,
        ),
      );
    }
    assert.deepEqual(answers, ["ada", UNTRUSTED, UNTRUSTED, UNTRUSTED]);
  });

  test("wrong options are refused", () => {
    const wrong: Array<[object, RegExp]> = [
      [{}, /trustSource must be/],
      [{ trustSource: {} }, /trustSource must be/],
      [{ trustSource: { header: "x", expectedValues: [] } }, /expectedValues must be a list/],
      [{ trustSource: { header: "x", expectedValues: [""] } }, /expectedValues must be a list/],
      [{ trustSource: { header: "x y", expectedValues: ["a"] } }, /header name/],
      [{ trustSource: { peer: ["10.0.0.0/33"] } }, /addresses and ranges/],
      [{ trustSource: { peer: ["gateway.internal"] } }, /addresses and ranges/],
      [{ trustSource: { tls: {} } }, /trustSource.tls must be a list/],
      [{ trustSource: { tls: { cn: "x" } } }, /"cn"/],
      [{ trustSource, headerMapping: {} }, /headerMapping.subject/],
      [{ trustSource, headerMapping: { subject: "x", role: "y" } }, /did you mean "roles"/],
      [{ trustSource, cache: {} }, /no option "cache"/],
      [{ trustSource, stripHeaders: "x-a" }, /stripHeaders must be an array/],
      [{ trustSource, stripHeaders: ["bad name"] }, /stripHeaders/],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => createGatewayAuthInterceptor(options as GatewayAuthOptions), {
        code: "INVALID_OPTION",
        message,
      });
    }
  });
});

describe("createClientGatewayInterceptor", () => {
  const trust = { header: "x-gateway-secret", value: secret };

  test("sends an identity that createGatewayAuthInterceptor reads back whole", async (t) => {
    let seen: ReturnType<typeof getAuthContext>;
    const { baseUrl } = await startWho(t, {
      interceptors: [
        createGatewayAuthInterceptor({ trustSource }),
        (next) => (request) => {
          seen = getAuthContext(request);
          return next(request);
        },
      ],
    });
    const identity = {
      subject: "ada %41 ",
      name: "Adä 愛",
      type: "jwt",
      roles: ["a,b", 'c"d', ""],
      scopes: ["read write", "ü"],
      claims: { nested: { list: [1, null] }, text: "línea\nzwei" },
    };
    const interceptor = createClientGatewayInterceptor({ trust, context: () => identity });
    const transport = createGrpcTransport({ baseUrl, interceptors: [interceptor] });
    for (const call of Object.values(kinds)) {
      const [answer] = await call(createClient(WhoService, transport), {
        "x-auth-roles": '["root"]',
      });
      assert.equal(answer?.subject, identity.subject);
      assert.deepEqual(seen, identity);
    }
  });

  test("headerMapping is that of the service behind, and all that is sent", async (t) => {
    const { baseUrl } = await startWho(t, {
      interceptors: [createGatewayAuthInterceptor({ headerMapping, trustSource })],
    });
    const mapped = createClientGatewayInterceptor({
      trust,
      headerMapping,
      context: () => ({ subject: "ada", roles: ["admin"], scopes: [], claims: {}, type: "jwt" }),
    });
    const sent: string[] = [];
    const spy: Interceptor = (next) => (request) => {
      sent.push(...[...request.header.keys()].filter((name) => /^x-(user|auth)/.test(name)));
      return next(request);
    };
    const transport = createGrpcTransport({ baseUrl, interceptors: [mapped, spy] });
    assert.equal((await createClient(WhoService, transport).ask({})).subject, "ada");
    assert.deepEqual(sent, ["x-user-id", "x-user-roles"]);
  });

  test("removes what a call carries already when there is nobody to speak for", async () => {
    const sent: Array<string | null> = [];
    const interceptor = createClientGatewayInterceptor({ trust, context: () => undefined });
    const transport = createGrpcTransport({
      baseUrl: "http://127.0.0.1:1",
      interceptors: [
        interceptor,
        () => (request) => {
          sent.push(request.header.get("x-auth-subject"), request.header.get("x-gateway-secret"));
          throw new ConnectError("not sent");
        },
      ],
    });
    const headers = { "x-auth-subject": "root" };
    await refusal(createClient(WhoService, transport).ask({}, { headers }));
    assert.deepEqual(sent, [null, secret]);
  });
});

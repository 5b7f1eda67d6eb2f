import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type AuthzDecision,
  type AuthzOptions,
  createAuthInterceptor,
  createAuthzInterceptor,
  matchesMethodPattern,
} from "connectum/auth";
import { createServer, defineService } from "connectum/core";
import { Healthcheck } from "connectum/healthcheck";
import { WhoService } from "./gen/who/v1/who_pb.js";
import { asker } from "./support/ask.ts";
import { bearer, doorNames, refusal, startWho } from "./support/doors.ts";
import { who } from "./support/who.ts";

/** A token is `subject`, or `subject:role,role:scope,scope`. */
const authenticate = createAuthInterceptor({
  verifyCredentials(token) {
    const [subject = "", roles = "", scopes = ""] = token.split(":");
    const list = (text: string) => text.split(",").filter(Boolean);
    return { subject, roles: list(roles), scopes: list(scopes) };
  },
});

const DENIED = "[permission_denied] Access denied";
const ANONYMOUS = "[unauthenticated] Authentication required";
const all = ["who.v1.WhoService/*"];

const users = (options: AuthzOptions) => asker(authenticate, createAuthzInterceptor(options));
const anybody = (options: AuthzOptions) => asker(createAuthzInterceptor(options));

describe("createAuthzInterceptor", () => {
  test("denies by default, and allows by default only when told", async () => {
    assert.equal(await users({})("ada"), DENIED);
    assert.equal(await anybody({})(), ANONYMOUS);
    assert.equal(await users({ defaultPolicy: "allow" })("ada"), "ada");
    assert.equal(await anybody({ defaultPolicy: "allow" })(), "nobody");
  });

  test("an allow rule without requires admits anonymous callers; with {} it needs an identity", async () => {
    const open = { name: "open", methods: all, effect: "allow" } as const;
    assert.equal(await anybody({ rules: [open] })(), "nobody");
    const known = { ...open, requires: {} };
    assert.equal(await anybody({ rules: [known] })(), ANONYMOUS);
    assert.equal(await users({ rules: [known] })("ada"), "ada");
  });

  test("roles are any of, scopes are all of, and both must be met", async () => {
    const requires = { roles: ["admin", "owner"], scopes: ["read", "write"] };
    const ask = users({ rules: [{ name: "r", methods: all, effect: "allow", requires }] });
    assert.equal(await ask("a:owner:read,write,x"), "a");
    for (const token of ["a:owner:read", "a:user:read,write", "a:owner:", "a::read,write"]) {
      assert.equal(await ask(token), DENIED, token);
    }
  });

  test("deny rules come before allow rules, whatever their order", async () => {
    const ask = users({
      rules: [
        { name: "everybody", methods: ["*"], effect: "allow" },
        { name: "banned", methods: all, effect: "deny", requires: { roles: ["banned"] } },
      ],
    });
    assert.equal(await ask("ada:admin"), "ada");
    assert.equal(await ask("eve:admin,banned"), DENIED);
  });

  test("a deny rule without requires shuts the method for everybody, anonymous callers included", async () => {
    const rules = [
      { name: "open", methods: all, effect: "allow" },
      { name: "shut", methods: ["who.v1.WhoService/Ask"], effect: "deny" },
    ] as const;
    assert.equal(await users({ rules, defaultPolicy: "allow" })("ada:admin"), DENIED);
    assert.equal(await anybody({ rules, defaultPolicy: "allow" })(), DENIED);
  });

  test("an unmet allow rule refuses, whatever authorize or the default policy says", async () => {
    const rule = {
      name: "admins",
      methods: all,
      effect: "allow",
      requires: { roles: ["admin"] },
    } as const;
    let asked = 0;
    const authorize = () => {
      asked++;
      return true;
    };
    const options = { rules: [rule], authorize, defaultPolicy: "allow" } as const;
    assert.equal(await users(options)("ada:user"), DENIED);
    assert.equal(await anybody(options)(), ANONYMOUS);
    assert.equal(asked, 0);
    const second = { ...rule, name: "users", requires: { roles: ["user"] } };
    assert.equal(await users({ ...options, rules: [rule, second] })("ada:user"), "ada");
  });

  test("authorize decides what no rule does: true, false, and undefined for the default policy", async () => {
    const by = (answer: unknown, defaultPolicy: "allow" | "deny" = "deny") =>
      users({ authorize: () => answer as boolean, defaultPolicy })("ada");
    assert.equal(await by(true), "ada");
    assert.equal(await by(Promise.resolve(true)), "ada");
    assert.equal(await by(undefined), DENIED);
    assert.equal(await by(undefined, "allow"), "ada");
    for (const answer of [false, null, 0, 1, "yes", {}, Promise.resolve(false)]) {
      assert.equal(await by(answer, "allow"), DENIED);
    }
  });

  test("an authorize that throws refuses; a ConnectError of it passes", async () => {
    const by = (error: unknown, isAsync = false) =>
      users({
        defaultPolicy: "allow",
        authorize() {
          if (isAsync) return Promise.reject(error);
          throw error;
        },
      })("ada");
    for (const isAsync of [false, true]) {
      assert.equal(await by(new Error("policy server is down"), isAsync), DENIED);
      const error = new ConnectError("over quota", Code.ResourceExhausted);
      assert.equal(await by(error, isAsync), "[resource_exhausted] over quota");
    }
  });

  test("authorize sees the identity and the call", async () => {
    const seen: unknown[] = [];
    const ask = users({
      authorize(context, { method, header, peer }) {
        seen.push(context?.subject, method.name, header.get("x-tenant"), peer.address);
        return true;
      },
    });
    await ask("ada", { "x-tenant": "acme" });
    assert.deepEqual(seen, ["ada", "Ask", "acme", "in-process"]);
  });

  test("the client learns no rule; onDecision hears of every call", async (t) => {
    const decisions: AuthzDecision[] = [];
    const requires = { roles: ["treasurer"], scopes: ["pay", "sign"] };
    const { client } = await startWho(t, {
      interceptors: [
        authenticate,
        createAuthzInterceptor({
          rules: [{ name: "money", methods: all, effect: "allow", requires }],
          onDecision(decision) {
            decisions.push(decision);
            throw new Error("audit is full");
          },
        }),
      ],
    });
    for (const door of doorNames) {
      const error = await refusal(client(door).ask({}, { headers: bearer("ada:treasurer:pay") }));
      assert.deepEqual([error.message, error.details], [DENIED, []], door);
      assert.doesNotMatch(JSON.stringify([...error.metadata]), /money|treasurer|sign/, door);
    }
    await client().ask({}, { headers: bearer("eve:treasurer:pay,sign") });
    const method = "who.v1.WhoService/Ask";
    assert.deepEqual(decisions[0], {
      method,
      subject: "ada",
      allowed: false,
      rule: "money",
      reason: "needs scope sign",
    });
    assert.deepEqual(decisions.at(-1), {
      method,
      subject: "eve",
      allowed: true,
      rule: "money",
      reason: "the rule allows it",
    });
    assert.equal(decisions.length, doorNames.length + 1);
  });

  test("health is skipped by default; a list of one's own replaces that", async (t) => {
    for (const [skipMethods, expected] of [
      [undefined, { ask: DENIED, health: "SERVING" }],
      [all, { ask: "ada", health: DENIED }],
    ] as const) {
      const interceptors = [
        createAuthInterceptor({ verifyCredentials: (subject) => ({ subject }), skipMethods: [] }),
        createAuthzInterceptor({ skipMethods }),
      ];
      const { client, baseUrl } = await startWho(t, {
        interceptors,
        protocols: [Healthcheck()],
      });
      const asked = await client()
        .ask({}, { headers: bearer("ada") })
        .then(({ subject }) => subject, String);
      const response = await fetch(`${baseUrl}/grpc.health.v1.Health/Check`, {
        method: "POST",
        headers: { "content-type": "application/json", ...bearer("ada") },
        body: "{}",
      });
      const { status, message } = (await response.json()) as { status?: string; message?: string };
      const isHealthSkipped = message === undefined && status !== undefined;
      assert.ok(asked.endsWith(expected.ask), asked);
      assert.equal(isHealthSkipped, expected.health === "SERVING");
    }
  });

  test("without an authenticator before it, nobody has an identity", async () => {
    const rules = [{ name: "known", methods: all, effect: "allow", requires: {} }] as const;
    const backwards = asker(createAuthzInterceptor({ rules }), authenticate);
    assert.equal(await backwards("ada"), ANONYMOUS);
  });

  test("where gates do not run, the interceptor refuses itself", async () => {
    const plain = (wrapped: ReturnType<typeof createAuthzInterceptor>) =>
      ((next) => wrapped(next)) as typeof wrapped;
    const rules = [
      { name: "admins", methods: all, effect: "allow", requires: { roles: ["admin"] } },
    ] as const;
    const ask = asker(plain(authenticate), plain(createAuthzInterceptor({ rules })));
    assert.equal(await ask("ada:admin"), "ada");
    assert.equal(await ask("ada:user"), DENIED);
    assert.equal(await ask(), "[unauthenticated] Missing credentials");
  });

  test("wrong rules are refused when they are made", () => {
    const good = { name: "a", methods: ["*"], effect: "allow" };
    const wrong: Array<[unknown, RegExp]> = [
      [[{ ...good, effect: "Allow" }], /effect must be "allow" or "deny", got "Allow"/],
      [[{ ...good, methods: [] }], /methods must be a list/],
      [[{ ...good, methods: ["who.v1"] }], /rule "a" takes/],
      [[{ ...good, name: "" }], /name must be a unique/],
      [[good, good], /name must be a unique/],
      [[{ ...good, requires: { roles: [] } }], /requires.roles must be a list of at least one/],
      [[{ ...good, requires: { role: ["x"] } }], /did you mean "roles"/],
      [[{ ...good, requires: null }], /requires must be/],
      [[{ ...good, effect: "deny", requires: {} }], /leave it out to deny everybody/],
      [[{ ...good, requirements: {} }], /did you mean "requires"/],
      [{}, /rules must be a list/],
    ];
    for (const [rules, message] of wrong) {
      assert.throws(() => createAuthzInterceptor({ rules } as AuthzOptions), {
        code: "INVALID_OPTION",
        message,
      });
    }
    for (const options of [{ defaultPolicy: "maybe" }, { onDecision: "audit" }]) {
      assert.throws(() => createAuthzInterceptor(options as unknown as AuthzOptions), {
        code: "INVALID_OPTION",
      });
    }
  });

  test("start() is not delayed and rules apply to services of routes added late", async (t) => {
    const server = createServer({
      services: [],
      port: 0,
      interceptors: [createAuthzInterceptor()],
    });
    server.addService(defineService(WhoService, who));
    await server.start();
    t.after(() => server.stop());
    const error = await refusal(server.localClient(WhoService).ask({}));
    assert.equal(error.message, ANONYMOUS);
  });
});

describe("matchesMethodPattern", () => {
  const cases: Array<[string, string, boolean]> = [
    ["*", "a.v1.S/M", true],
    ["a.*", "a.v1.S/M", true],
    ["a.v1.*", "a.v1.S/M", true],
    ["a.v1.*", "a.v10.S/M", false],
    ["a.*", "ab.S/M", false],
    ["a.v1.S/*", "a.v1.S/M", true],
    ["a.v1.S/*", "a.v1.SX/M", false],
    ["a.v1.S/M", "a.v1.S/M", true],
    ["a.v1.S/M", "a.v1.S/m", false],
    ["a.v1.S/M", "a.v1.S/MM", false],
  ];
  for (const [pattern, method, expected] of cases) {
    test(`${pattern} ${expected ? "means" : "does not mean"} ${method}`, () => {
      assert.equal(matchesMethodPattern(pattern, method), expected);
    });
  }
});

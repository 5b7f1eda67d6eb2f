import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type AuthCall,
  type AuthFailure,
  type AuthOptions,
  authContextKey,
  createAuthInterceptor,
  getAuthContext,
  requireAuthContext,
} from "connectum/auth";
import type { Logger } from "connectum/core";
import { createFakeClock } from "connectum/testing";
import { bearer, doorNames, doorsOf, kinds, refusal, startWho } from "./support/doors.ts";

const verifyCredentials = (token: string) => (token.startsWith("good") ? { subject: token } : null);

describe("createAuthInterceptor", () => {
  for (const [kind, call] of Object.entries(kinds)) {
    test(`${kind}: the identity is there through every door, by context and by async context`, async (t) => {
      const interceptors = [createAuthInterceptor({ verifyCredentials })];
      const { client } = await startWho(t, { interceptors });
      for (const door of doorsOf(kind)) {
        const answers = await call(client(door), bearer("good-ada"));
        assert.ok(answers.length > 0);
        for (const { subject, ambient } of answers) {
          assert.deepEqual([subject, ambient], ["good-ada", "good-ada"], door);
        }
      }
    });

    test(`${kind}: refused alike through every door, without and with bad credentials`, async (t) => {
      const interceptors = [createAuthInterceptor({ verifyCredentials })];
      const { client } = await startWho(t, { interceptors });
      for (const door of doorsOf(kind)) {
        const refused = await refusal(call(client(door)));
        assert.equal(refused.message, "[unauthenticated] Missing credentials", door);
        const bad = await refusal(call(client(door), bearer("bad")));
        assert.equal(bad.message, "[unauthenticated] Authentication failed", door);
      }
    });
  }

  test("extractCredentials finds the credential elsewhere, also later", async (t) => {
    const fromHeader: AuthOptions["extractCredentials"] = ({ header }) => header.get("x-api-key");
    for (const extractCredentials of [fromHeader, async (call: AuthCall) => fromHeader(call)]) {
      const { client } = await startWho(t, {
        interceptors: [createAuthInterceptor({ verifyCredentials, extractCredentials })],
      });
      const { subject } = await client().ask({}, { headers: { "x-api-key": "good" } });
      assert.equal(subject, "good");
      await assert.rejects(client().ask({}, { headers: bearer("good") }), {
        rawMessage: "Missing credentials",
      });
    }
  });

  test("the scheme's case does not matter, and other schemes are no credentials", async (t) => {
    const { client } = await startWho(t, {
      interceptors: [createAuthInterceptor({ verifyCredentials })],
    });
    for (const authorization of ["Bearer good", "bearer good", "BEARER   good  "]) {
      const { subject } = await client().ask({}, { headers: { authorization } });
      assert.equal(subject, "good");
    }
    for (const authorization of ["Basic good", "good", "Bearer", "Bearer ", "Bearergood xx"]) {
      await assert.rejects(client().ask({}, { headers: { authorization } }), {
        rawMessage: "Missing credentials",
      });
    }
  });

  test("nothing about why a credential is bad reaches the client; onFailure and the log get it", async (t) => {
    const failures: AuthFailure[] = [];
    const lines: object[] = [];
    const thrown = new Error("user ada is locked, see ticket 7");
    const ignore = () => {};
    const logger: Logger = {
      debug: ignore,
      info: (details) => lines.push(details),
      warn: ignore,
      error: ignore,
    };
    const { client } = await startWho(t, {
      logger,
      interceptors: [
        createAuthInterceptor({
          verifyCredentials() {
            throw thrown;
          },
          onFailure: (failure) => failures.push(failure),
        }),
      ],
    });
    const error = await refusal(client().ask({}, { headers: bearer("x") }));
    assert.equal(error.message, "[unauthenticated] Authentication failed");
    assert.doesNotMatch(JSON.stringify([...error.metadata]), /ada|ticket/);
    const [failure] = failures;
    assert.equal(failure?.method, "who.v1.WhoService/Ask");
    assert.equal(failure.reason, thrown.message);
    assert.equal(failure.error, thrown);
    assert.equal(failure.peer.address, "127.0.0.1");
    assert.equal(lines.length, 1);
    assert.equal((lines[0] as { reason: string }).reason, thrown.message);
  });

  test("a ConnectError of the callback reaches the client as it is", async (t) => {
    const { client } = await startWho(t, {
      interceptors: [
        createAuthInterceptor({
          async verifyCredentials() {
            throw new ConnectError("directory is down", Code.Unavailable, { "retry-after": "7" });
          },
        }),
      ],
    });
    for (const door of doorNames) {
      const error = await refusal(client(door).ask({}, { headers: bearer("x") }));
      assert.equal(error.message, "[unavailable] directory is down");
      assert.equal(error.metadata.get("retry-after"), "7");
    }
  });

  test("an onFailure that throws changes nothing for the client", async (t) => {
    const onFailure = () => {
      throw new Error("audit is full");
    };
    const { client } = await startWho(t, {
      interceptors: [createAuthInterceptor({ verifyCredentials, onFailure })],
    });
    await assert.rejects(client().ask({}), { rawMessage: "Missing credentials" });
  });

  test("an identity nobody could be told apart by is refused", async (t) => {
    const contexts: unknown[] = [
      { subject: "" },
      {},
      { subject: 7 },
      { subject: "a", roles: "admin" },
      { subject: "a", scopes: [7] },
      { subject: "a", expiresAt: new Date(Number.NaN) },
      undefined,
    ];
    const { client } = await startWho(t, {
      interceptors: [
        createAuthInterceptor({ verifyCredentials: (index) => contexts[Number(index)] as never }),
      ],
    });
    for (const index of contexts.keys()) {
      await assert.rejects(client().ask({}, { headers: bearer(String(index)) }), {
        rawMessage: "Authentication failed",
      });
    }
  });

  test("skipped methods are anonymous, whatever they send; an empty list skips nothing", async (t) => {
    const skipMethods = ["who.v1.WhoService/Ask"];
    const { client } = await startWho(t, {
      interceptors: [createAuthInterceptor({ verifyCredentials, skipMethods })],
    });
    for (const headers of [bearer("good"), bearer("bad"), {}]) {
      const { subject, ambient } = await client().ask({}, { headers });
      assert.deepEqual([subject, ambient], ["nobody", "nobody"]);
    }
    await assert.rejects(client().change({}), { code: Code.Unauthenticated });
  });

  test("propagateHeaders writes the verified identity for the handler", async (t) => {
    const { client } = await startWho(t, {
      interceptors: [
        createAuthInterceptor({
          propagateHeaders: true,
          verifyCredentials: (subject) => ({ subject, roles: ["Ä,b"], name: "Zoë" }),
        }),
      ],
    });
    const { header } = await client().ask({}, { headers: bearer("ada") });
    assert.equal(header["x-auth-subject"], "ada");
    assert.equal(header["x-auth-type"], "custom");
    assert.equal(header["x-auth-name"], "Zo%C3%AB");
    assert.equal(header["x-auth-roles"], '["%C3%84,b"]');
    await assert.rejects(client().ask({}, { headers: bearer("a".repeat(513)) }), {
      code: Code.ResourceExhausted,
    });
  });

  test("a cached credential is not verified again until its time is over", async (t) => {
    const clock = createFakeClock({ t, now: Date.now() });
    let now = 0;
    t.mock.method(performance, "now", () => now);
    let verified = 0;
    const { client } = await startWho(t, {
      interceptors: [
        createAuthInterceptor({
          cache: { ttlMs: 1_000, maxSize: 2 },
          verifyCredentials(subject) {
            verified++;
            if (subject === "bad") return null;
            const expiresAt = new Date(Date.now() + (subject === "short" ? 100 : 60_000));
            return { subject, expiresAt };
          },
        }),
      ],
    });
    const ask = async (token: string) => {
      const before = verified;
      await client("in process")
        .ask({}, { headers: bearer(token) })
        .catch(() => {});
      return verified - before;
    };
    assert.deepEqual([await ask("a"), await ask("a")], [1, 0]);
    assert.deepEqual([await ask("bad"), await ask("bad")], [1, 1], "refusals are not kept");
    now += 999;
    assert.equal(await ask("a"), 0);
    now += 1;
    assert.equal(await ask("a"), 1);
    assert.deepEqual([await ask("short"), await ask("short")], [1, 0]);
    await clock.advance(100);
    assert.equal(await ask("short"), 1, "its own end wins");
    await ask("a");
    await ask("b");
    assert.deepEqual([await ask("a"), await ask("short")], [0, 1], "the longest unused leaves");
  });

  test("two authenticators in a chain: the later one has the last word", async (t) => {
    const named = (name: string): AuthOptions => ({
      verifyCredentials: () => ({ subject: name }),
      skipMethods: name === "second" ? ["who.v1.WhoService/Change"] : [],
    });
    const { client } = await startWho(t, {
      interceptors: [createAuthInterceptor(named("first")), createAuthInterceptor(named("second"))],
    });
    const { subject, ambient } = await client().ask({}, { headers: bearer("x") });
    assert.deepEqual([subject, ambient], ["second", "second"]);
    assert.equal((await client().change({}, { headers: bearer("x") })).ambient, "first");
  });

  test("wrong options are refused with the option's name", () => {
    const wrong: Array<[object, RegExp]> = [
      [{}, /verifyCredentials must be a function/],
      [{ verifyCredentials, skipMethod: [] }, /"skipMethod"; did you mean "skipMethods"/],
      [{ verifyCredentials, skipMethods: ["a.b"] }, /skipMethods takes .* got "a.b"/],
      [{ verifyCredentials, cache: { ttlMs: 0 } }, /cache.ttlMs/],
      [{ verifyCredentials, cache: { maxSize: 0 } }, /cache.maxSize/],
      [{ verifyCredentials, cache: { ttl: 1 } }, /"ttl"/],
      [{ verifyCredentials, propagateHeaders: "false" }, /propagateHeaders must be true or false/],
      [{ verifyCredentials, onFailure: {} }, /onFailure must be a function/],
      [{ verifyCredentials, extractCredentials: "x" }, /extractCredentials must be a function/],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => createAuthInterceptor(options as AuthOptions), {
        code: "INVALID_OPTION",
        message,
      });
    }
  });
});

describe("getAuthContext", () => {
  test("outside of a call there is nobody, and requireAuthContext throws", () => {
    assert.equal(getAuthContext(), undefined);
    assert.throws(() => requireAuthContext(), { code: Code.Unauthenticated });
  });

  test("reads handler contexts, requests of interceptors and gate contexts", async (t) => {
    const seen: Array<string | undefined> = [];
    const { client } = await startWho(t, {
      interceptors: [
        createAuthInterceptor({ verifyCredentials }),
        (next) => (request) => {
          seen.push(getAuthContext(request)?.subject, requireAuthContext(request).subject);
          seen.push(request.contextValues.get(authContextKey)?.subject);
          return next(request);
        },
      ],
    });
    await client().ask({}, { headers: bearer("good") });
    assert.deepEqual(seen, ["good", "good", "good"]);
  });

  test("the identity is frozen", async (t) => {
    let context: unknown;
    const { client } = await startWho(t, {
      interceptors: [
        createAuthInterceptor({ verifyCredentials: () => ({ subject: "a", roles: ["user"] }) }),
        (next) => (request) => {
          context = getAuthContext(request);
          return next(request);
        },
      ],
    });
    await client().ask({}, { headers: bearer("x") });
    const { roles } = context as { roles: string[] };
    assert.throws(() => roles.push("admin"), TypeError);
    assert.throws(() => Object.assign(context as object, { subject: "b" }), TypeError);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type AttachContext, createServer, extendInterceptor } from "connectum/core";
import { createMethodFilterInterceptor } from "connectum/interceptors";
import { assertConnectError } from "connectum/testing";
import { callKind, everywhere, localClient, scripted } from "./doors.ts";

const behaviour = async function* () {
  yield "text";
};
const service = "connectum.script.v1.ScriptService";

describe("createMethodFilterInterceptor", () => {
  test("runs all that match, general to exact, on every way and in every kind", async (t) => {
    const seen: string[] = [];
    let composed = 0;
    const note =
      (name: string): Interceptor =>
      (next) => {
        composed++;
        return (request) => {
          seen.push(name);
          return next(request);
        };
      };
    const interceptors = [
      createMethodFilterInterceptor({
        [`${service}/Look`]: [note("look 1"), note("look 2")],
        [`${service}/*`]: note("service"),
        "connectum.*": note("connectum"),
        "connectum.script.*": note("script"),
        "*": note("all"),
        "connectum.other.*": note("never"),
      }),
    ];
    await everywhere(t, { services: [scripted(behaviour)], interceptors }, async (client, kind) => {
      seen.length = 0;
      await callKind(client, kind);
      const exact = kind === "unary" ? ["look 1", "look 2"] : [];
      assert.deepEqual(seen, ["all", "connectum", "script", "service", ...exact]);
      const before = composed;
      await callKind(client, kind);
      assert.equal(composed, before, "composed once for each method");
    });
  });

  test("attach and gate of the interceptors in it still work", async (t) => {
    const attached: AttachContext[] = [];
    const gated = extendInterceptor((next) => next, {
      attach: (context) => void attached.push(context),
      gate: ({ header }) => {
        if (!header.has("x-key")) throw new ConnectError("no key", Code.Unauthenticated);
      },
    });
    const filter = createMethodFilterInterceptor({ [`${service}/Look`]: gated });
    const client = await localClient(t, [filter], behaviour);
    assert.equal(attached.length, 1);
    await assertConnectError(client.look({}), Code.Unauthenticated);
    await client.look({}, { headers: { "x-key": "1" } });
    await client.once({});
  });

  test("strict: a key that matches no method stops the start", async () => {
    const pass: Interceptor = (next) => next;
    const start = async (key: string) => {
      const server = createServer({
        services: [scripted(behaviour)],
        interceptors: [createMethodFilterInterceptor({ [key]: pass }, { strict: true })],
        port: 0,
      });
      await server.start();
      await server.stop();
    };
    await start(`${service}/Look`);
    await assert.rejects(
      start(`${service}/Lok`),
      /methodFilter\["connectum.script.v1.ScriptService\/Lok"\] matches no method of this server; did you mean "connectum.script.v1.ScriptService\/Look"\?/,
    );
  });

  test("refuses malformed keys and what is no interceptor", () => {
    const pass: Interceptor = (next) => next;
    for (const key of ["", "a b", "pkg.Service/", "/Method", "pkg*", "pkg.Service/Me*", "**"]) {
      assert.throws(
        () => createMethodFilterInterceptor({ [key]: pass }),
        /methodFilter takes "\*"/,
      );
    }
    assert.throws(
      () => createMethodFilterInterceptor({ "*": [pass, 1 as never] }),
      /methodFilter\["\*"\] must be a function, got 1/,
    );
  });
});

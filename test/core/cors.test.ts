import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CorsOptions, createServer } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { loadService } from "../load/service.ts";
import { httpVersions, send } from "./bad-input/request.ts";

const path = "/connectum.load.v1.LoadService/Echo";
const app = "https://app.example.com";

const preflight = (origin: string) => ({
  method: "OPTIONS",
  path,
  headers: {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type,connect-protocol-version",
  },
});
const call = (origin: string) => ({
  path,
  headers: { origin, "content-type": "application/json" },
  body: "{}",
});

describe("cors", () => {
  for (const version of httpVersions) {
    test(`${version}: a preflight is answered for the protocols and for headers of one's own`, async (t) => {
      const cors = { origins: [app], allowedHeaders: ["X-Tenant"], maxAgeSeconds: 60 };
      const site = {
        ...(await createTestServer({ t, services: [loadService()], cors })),
        isTls: false,
      };
      const { status, headers, body } = await send(site, version, preflight(app));
      assert.equal(status, 204);
      assert.equal(body.byteLength, 0);
      assert.equal(headers["content-length"], undefined);
      assert.equal(headers["access-control-allow-origin"], app);
      assert.equal(headers["access-control-allow-methods"], "POST, GET");
      assert.match(String(headers["access-control-allow-headers"]), /Connect-Protocol-Version/);
      assert.match(String(headers["access-control-allow-headers"]), /X-Grpc-Web.*X-Tenant/);
      assert.equal(headers["access-control-max-age"], "60");
      assert.equal(headers.vary, "Origin");
      assert.equal(headers["access-control-allow-credentials"], undefined);
    });

    test(`${version}: answers, errors and refusals can be read by the page`, async (t) => {
      const cors = { origins: [app], exposedHeaders: ["X-Count"], credentials: true };
      const site = {
        ...(await createTestServer({ t, services: [loadService()], cors })),
        isTls: false,
      };
      const headers = { origin: app, "content-type": "application/json" };
      for (const [request, status] of [
        [call(app), 200],
        [{ path, headers, body: "{" }, 400],
        [{ path, headers: { origin: app, "content-type": "text/plain" }, body: "" }, 415],
        [{ path: `${path}s`, headers, body: "{}" }, 501],
        [{ path: "/nowhere", headers, body: "{}" }, 404],
      ] as const) {
        const answer = await send(site, version, request);
        assert.equal(answer.status, status);
        assert.equal(answer.headers["access-control-allow-origin"], app);
        assert.equal(answer.headers["access-control-allow-credentials"], "true");
        assert.match(
          String(answer.headers["access-control-expose-headers"]),
          /Grpc-Status.*X-Count, trailer-X-Count/,
        );
      }
    });

    test(`${version}: another origin is served and told nothing a page could use`, async (t) => {
      const cors = { origins: [app] };
      const site = {
        ...(await createTestServer({ t, services: [loadService()], cors })),
        isTls: false,
      };
      for (const request of [preflight("https://evil.example"), call("https://evil.example")]) {
        const { headers } = await send(site, version, request);
        const told = Object.keys(headers).filter((name) => name.startsWith("access-control"));
        assert.deepEqual(told, []);
        assert.equal(headers.vary, "Origin");
      }
    });
  }

  test("without the option nothing of it is answered", async (t) => {
    const site = { ...(await createTestServer({ t, services: [loadService()] })), isTls: false };
    assert.equal((await send(site, "HTTP/1.1", preflight(app))).status, 405);
    const { headers } = await send(site, "HTTP/1.1", call(app));
    assert.equal(headers["access-control-allow-origin"], undefined);
  });

  const matches: Array<[string, CorsOptions["origins"], string[], string[]]> = [
    [
      "a list",
      [app, "null"],
      [app, "null"],
      [`${app}:8443`, "http://app.example.com", "https://x"],
    ],
    [
      "a pattern with *",
      ["https://*.example.com"],
      [app, "https://a.b.example.com"],
      ["https://example.com", "https://evilexample.com", "https://a.example.com.evil.org"],
    ],
    [
      "a regular expression, which must match the whole origin",
      [/https:\/\/(a|ab)\.example/],
      ["https://a.example", "https://ab.example"],
      ["https://a.example.org", "xhttps://a.example"],
    ],
    ["a function", (origin) => origin.endsWith(":3000"), ["http://a:3000"], ["http://a:3001"]],
  ];
  for (const [name, origins, allowed, refused] of matches) {
    test(`origins may be ${name}`, async (t) => {
      const cors = { origins };
      const site = {
        ...(await createTestServer({ t, services: [loadService()], cors })),
        isTls: false,
      };
      for (const origin of [...allowed, ...refused]) {
        const { headers } = await send(site, "HTTP/2", call(origin));
        const expected = allowed.includes(origin) ? origin : undefined;
        assert.equal(headers["access-control-allow-origin"], expected, origin);
      }
    });
  }

  test("'*' is every origin, without Vary", async (t) => {
    const cors = { origins: "*" } as const;
    const site = {
      ...(await createTestServer({ t, services: [loadService()], cors })),
      isTls: false,
    };
    const { headers } = await send(site, "HTTP/2", call(app));
    assert.equal(headers["access-control-allow-origin"], "*");
    assert.equal(headers.vary, undefined);
  });

  const wrong: Array<[string, object, RegExp]> = [
    ["cookies from everywhere", { origins: "*", credentials: true }, /list the origins/],
    ["an origin with a path", { origins: ["https://a.example/"] }, /without a path/],
    ["an origin without a scheme", { origins: ["a.example"] }, /without a path, got "a\.example"/],
    ["no origins", {}, /cors\.origins must be "\*", a list/],
    ["an unknown option", { origins: "*", maxAge: 1 }, /did you mean "maxAgeSeconds"/],
    ["a header that is no name", { origins: "*", allowedHeaders: ["a b"] }, /takes header names/],
  ];
  for (const [name, cors, message] of wrong) {
    test(`${name} is refused`, () => {
      assert.throws(() => createServer({ services: [], cors: cors as CorsOptions }), message);
    });
  }
});

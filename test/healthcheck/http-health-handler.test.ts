import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server as NetServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import {
  createHealthcheckManager,
  createHttpHealthHandler,
  Healthcheck,
  parseServiceFromUrl,
  ServingStatus,
} from "connectum/healthcheck";
import { catalogName, drainBySignal, serveHealth, signalServer } from "./serve-health.ts";

const { UNKNOWN, SERVING, NOT_SERVING } = ServingStatus;

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

type Door = (baseUrl: string, method: string, path: string) => Promise<Answer>;

const doors: Record<string, Door> = {
  async "HTTP/1.1"(baseUrl, method, path) {
    const response = await fetch(baseUrl + path, { method });
    const headers = Object.fromEntries(response.headers);
    return { status: response.status, headers, body: await response.text() };
  },
  "HTTP/2"(baseUrl, method, path) {
    return new Promise((resolve, reject) => {
      const session = connect(baseUrl).on("error", reject);
      const stream = session.request({ ":method": method, ":path": path }).setEncoding("utf8");
      let answer: Answer = { status: 0, headers: {}, body: "" };
      stream.on("response", (headers) => {
        answer = {
          ...answer,
          status: Number(headers[":status"]),
          headers: headers as Answer["headers"],
        };
      });
      stream.on("data", (chunk) => {
        answer = { ...answer, body: answer.body + chunk };
      });
      stream.on("end", () => session.close(() => resolve(answer)));
      stream.on("error", reject);
    });
  },
};

for (const [name, ask] of Object.entries(doors)) {
  describe(`HTTP probes over ${name}`, () => {
    test("GET answers with status, service, timestamp and components, not to be cached", async (t) => {
      const health = Healthcheck({ httpEnabled: true });
      const { baseUrl } = await serveHealth(t, health);
      health.manager.register("cache", NOT_SERVING);
      for (const [service, status, code] of [
        ["", "NOT_SERVING", 503],
        [catalogName, "SERVING", 200],
        ["cache", "NOT_SERVING", 503],
      ] as const) {
        const answer = await ask(baseUrl, "GET", `/healthz?service=${service}`);
        assert.equal(answer.status, code);
        assert.equal(answer.headers["content-type"], "application/json");
        assert.equal(answer.headers["cache-control"], "no-store");
        const { timestamp, ...body } = JSON.parse(answer.body);
        assert.deepEqual(body, { status, service, components: { cache: "NOT_SERVING" } });
        assert.equal(new Date(timestamp).toISOString(), timestamp);
      }
    });

    for (const [path, codes] of Object.entries({
      "/livez": { SERVING: 200, NOT_SERVING: 200, UNKNOWN: 200, SERVICE_UNKNOWN: 200 },
      "/readyz": { SERVING: 200, NOT_SERVING: 503, UNKNOWN: 503, SERVICE_UNKNOWN: 404 },
      "/healthz": { SERVING: 200, NOT_SERVING: 503, UNKNOWN: 503, SERVICE_UNKNOWN: 404 },
      "/health": { SERVING: 200, NOT_SERVING: 503, UNKNOWN: 503, SERVICE_UNKNOWN: 404 },
    })) {
      test(`${path} maps each status to a code`, async (t) => {
        const health = Healthcheck({ httpEnabled: true });
        const { baseUrl } = await serveHealth(t, health);
        for (const [status, code] of Object.entries(codes)) {
          const isKnown = status !== "SERVICE_UNKNOWN";
          if (isKnown) health.manager.update(ServingStatus[status as "SERVING"]);
          const service = isKnown ? catalogName : "nobody";
          const answer = await ask(baseUrl, "GET", `${path}?service=${service}`);
          assert.equal(answer.status, code, status);
          const shown = path === "/livez" ? "SERVING" : status;
          assert.equal(JSON.parse(answer.body).status, shown);
        }
      });
    }

    test("HEAD has the headers of GET and no body", async (t) => {
      const { baseUrl } = await serveHealth(t, Healthcheck({ httpEnabled: true }));
      const get = await ask(baseUrl, "GET", "/healthz");
      const head = await ask(baseUrl, "HEAD", "/healthz");
      assert.equal(head.status, 200);
      assert.equal(head.body, "");
      for (const header of ["content-type", "content-length", "cache-control"]) {
        assert.equal(head.headers[header], get.headers[header]);
      }
    });

    test("other methods get 405 and are told which are allowed", async (t) => {
      const { baseUrl } = await serveHealth(t, Healthcheck({ httpEnabled: true }));
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
        const { status, headers, body } = await ask(baseUrl, method, "/livez");
        assert.equal(status, 405);
        assert.equal(headers.allow, "GET, HEAD");
        assert.equal(body, "");
      }
    });

    test("paths match exactly", async (t) => {
      const { baseUrl } = await serveHealth(t, Healthcheck({ httpEnabled: true }));
      assert.equal((await ask(baseUrl, "GET", "/livez?verbose")).status, 200);
      for (const path of ["/livez/", "/LIVEZ", "/x/livez", "//livez", "/livez%20", "/"]) {
        assert.equal((await ask(baseUrl, "GET", path)).status, 404, path);
      }
    });

    test("a drain fails readiness, but neither liveness nor health", async (t) => {
      const { baseUrl, server } = await serveHealth(
        t,
        Healthcheck({ httpEnabled: true }),
        drainBySignal,
      );
      const stopped = new Promise<void>((resolve) => server.on("stop", () => resolve()));
      assert.equal((await ask(baseUrl, "GET", "/readyz")).status, 200);
      signalServer();
      assert.equal((await ask(baseUrl, "GET", "/readyz")).status, 503);
      assert.equal((await ask(baseUrl, "GET", `/readyz?service=${catalogName}`)).status, 503);
      assert.equal((await ask(baseUrl, "GET", "/readyz?service=nobody")).status, 404);
      for (const path of ["/livez", "/healthz", "/health"]) {
        assert.equal((await ask(baseUrl, "GET", path)).status, 200, path);
      }
      signalServer();
      await stopped;
    });
  });
}

describe("httpEnabled and httpPaths", () => {
  test("without httpEnabled no path is answered", async (t) => {
    const { baseUrl } = await serveHealth(t, Healthcheck());
    assert.equal((await fetch(`${baseUrl}/healthz`)).status, 404);
  });

  const defaults = { live: "/livez", ready: "/readyz", health: "/health" } as const;
  for (const kind of ["live", "ready", "health"] as const) {
    test(`a kind that is given replaces its defaults, the others stay: ${kind}`, async (t) => {
      const httpPaths = { [kind]: ["/one", "/two"] };
      const health = Healthcheck({ httpEnabled: true, httpPaths });
      const { baseUrl } = await serveHealth(t, health);
      health.manager.update(NOT_SERVING);
      const get = async (path: string) => (await fetch(baseUrl + path)).status;
      const own = kind === "live" ? 200 : 503;
      assert.deepEqual([await get("/one"), await get("/two")], [own, own]);
      for (const [other, path] of Object.entries(defaults)) {
        const expected = other === "live" ? 200 : 503;
        assert.equal(await get(path), other === kind ? 404 : expected, path);
      }
    });
  }

  test("an array is all there is, and its paths tell the health", async (t) => {
    const health = Healthcheck({ httpEnabled: true, httpPaths: ["/status", "/livez"] });
    const { baseUrl } = await serveHealth(t, health);
    health.manager.update(NOT_SERVING);
    const get = async (path: string) => (await fetch(baseUrl + path)).status;
    assert.equal(await get("/status"), 503);
    assert.equal(await get("/livez"), 503);
    assert.equal(await get("/readyz"), 404);
    assert.equal(await get("/healthz"), 404);
  });
});

describe("createHttpHealthHandler", () => {
  test("serves a manager on a server of node:http and node:http2", async (t) => {
    const manager = createHealthcheckManager();
    manager.register("queue", SERVING);
    let isDraining = false;
    const handler = createHttpHealthHandler(manager, {
      httpPaths: { live: ["/l"], ready: ["/r"], health: ["/h"] },
      isDraining: () => isDraining,
    });
    const servers: Record<string, NetServer> = {
      "HTTP/1.1": createHttpServer(async (request, response) => {
        if (!(await handler(request, response))) response.writeHead(418).end();
      }),
      "HTTP/2": createHttp2Server(async (request, response) => {
        if (await handler(request, response)) return;
        response.writeHead(418);
        response.end();
      }),
    };
    for (const [name, ask] of Object.entries(doors)) {
      isDraining = false;
      const baseUrl = await listen(t, servers[name] as NetServer);
      assert.equal((await ask(baseUrl, "GET", "/r?service=queue")).status, 200);
      isDraining = true;
      assert.equal((await ask(baseUrl, "GET", "/r?service=queue")).status, 503);
      assert.equal((await ask(baseUrl, "GET", "/h?service=queue")).status, 200);
      assert.equal((await ask(baseUrl, "GET", "/l")).status, 200);
      assert.equal((await ask(baseUrl, "GET", "/elsewhere")).status, 418);
    }
  });

  test("never drains by default, and refuses unknown options", () => {
    const manager = createHealthcheckManager();
    assert.throws(() => createHttpHealthHandler(manager, { paths: [] } as object), {
      code: "INVALID_OPTION",
    });
    assert.equal(manager.getStatus(), NOT_SERVING);
    assert.equal(UNKNOWN, 0);
  });
});

describe("parseServiceFromUrl", () => {
  for (const [url, service] of [
    ["/healthz?service=a.B", "a.B"],
    ["/healthz?x=1&service=a.B&service=c.D", "a.B"],
    ["/healthz?service=a%2EB+c", "a.B c"],
    ["/healthz?service=%", "%"],
    ["http://host/healthz?service=a.B#service=c", "a.B"],
    ["/healthz?service=", ""],
    ["/healthz?q=a?service=b", ""],
    ["/healthz", ""],
    ["", ""],
    [undefined, ""],
  ] as const) {
    test(`reads ${JSON.stringify(service)} from ${url}`, () => {
      assert.equal(parseServiceFromUrl(url), service);
    });
  }
});

async function listen(t: TestContext, server: NetServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

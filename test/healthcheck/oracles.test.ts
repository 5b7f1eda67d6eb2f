import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { Healthcheck, ServingStatus } from "connectum/healthcheck";
import { protoPath } from "grpc-health-check";
import { missing, run } from "../interop/tools.ts";
import { createWire, type Wire, wireNames } from "../support/plain-and-tls.ts";
import { catalogName, ObservedManager, serveHealth } from "./serve-health.ts";

const { NOT_SERVING } = ServingStatus;

/** The client that the official package for grpc-js defines. */
const { Health } = (
  loadPackageDefinition(loadSync(protoPath, { enums: String, defaults: true })) as unknown as {
    grpc: { health: { v1: { Health: ServiceClientConstructor } } };
  }
).grpc.health.v1;

interface Answer {
  readonly status: string;
}

function grpcJsClient(port: number, { caPem }: Wire) {
  const channel = caPem ? credentials.createSsl(Buffer.from(caPem)) : credentials.createInsecure();
  return new Health(`127.0.0.1:${port}`, channel);
}

for (const wireName of wireNames) {
  describe(`grpc-health-probe on ${wireName}`, { skip: missing("grpc-health-probe") }, () => {
    test("exits by the status of the server and of a service", async (t) => {
      const health = Healthcheck();
      const { tls, ca } = await createWire(t, wireName);
      const { port } = await serveHealth(t, health, { tls });
      const probe = async (...args: string[]) => {
        const { status, stderr } = await run("grpc-health-probe", [
          `-addr=127.0.0.1:${port}`,
          ...(ca ? ["-tls", `-tls-ca-cert=${ca}`] : []),
          ...args,
        ]);
        return `${status} ${stderr.match(/status: \w+|code = \w+|NotFound/)?.[0]}`;
      };
      assert.equal(await probe(), "0 status: SERVING");
      assert.equal(await probe(`-service=${catalogName}`), "0 status: SERVING");
      health.manager.update(NOT_SERVING);
      assert.match(await probe(), /^4 /);
      assert.match(await probe(`-service=${catalogName}`), /^4 /);
      assert.equal(await probe("-service=nobody"), "3 code = NotFound");
    });
  });

  describe(`grpcurl on ${wireName}`, { skip: missing("grpcurl") }, () => {
    const grpcurl = (port: number, { ca }: Wire, method: string, data: object) =>
      run("grpcurl", [
        ...(ca ? ["-cacert", ca] : ["-plaintext"]),
        ...["-import-path", "proto", "-proto", "grpc/health/v1/health.proto"],
        ...["-d", JSON.stringify(data), `127.0.0.1:${port}`, `grpc.health.v1.Health/${method}`],
      ]);

    test("calls Check and List", async (t) => {
      const wire = await createWire(t, wireName);
      const { port } = await serveHealth(t, Healthcheck(), { tls: wire.tls });
      const check = await grpcurl(port, wire, "Check", { service: catalogName });
      assert.deepEqual(JSON.parse(check.stdout), { status: "SERVING" });
      const unknown = await grpcurl(port, wire, "Check", { service: "nobody" });
      assert.match(unknown.stderr, /Code: NotFound/);
      const list = await grpcurl(port, wire, "List", {});
      assert.deepEqual(JSON.parse(list.stdout), {
        statuses: { "": { status: "SERVING" }, [catalogName]: { status: "SERVING" } },
      });
    });

    test("a Watch that the drain ends is a success", async (t) => {
      const manager = new ObservedManager();
      const wire = await createWire(t, wireName);
      const { port, server } = await serveHealth(t, Healthcheck({ manager }), { tls: wire.tls });
      const watching = grpcurl(port, wire, "Watch", {});
      await manager.arrived;
      await server.stop();
      const { status: exit, stdout } = await watching;
      assert.equal(exit, 0);
      // Only the latest is sure to be seen: the stop may come before the first status was sent.
      assert.match(
        stdout,
        /^(\{\s*"status": "SERVING"\s*\}\s*)?\{\s*"status": "NOT_SERVING"\s*\}\s*$/,
      );
    });
  });

  describe(`the official health client of grpc-js on ${wireName}`, () => {
    test("calls Check", async (t) => {
      const wire = await createWire(t, wireName);
      const { port } = await serveHealth(t, Healthcheck(), { tls: wire.tls });
      const client = grpcJsClient(port, wire);
      t.after(() => client.close());
      const check = (service: string) =>
        new Promise<Answer>((resolve, reject) => {
          client.check?.({ service }, (error: ServiceError | null, answer: Answer) =>
            error ? reject(error) : resolve(answer),
          );
        });
      assert.equal((await check("")).status, "SERVING");
      assert.equal((await check(catalogName)).status, "SERVING");
      await assert.rejects(check("nobody"), { code: status.NOT_FOUND });
    });

    test("a Watch hears of a change, and of the drain", async (t) => {
      const health = Healthcheck();
      const wire = await createWire(t, wireName);
      const { port, server } = await serveHealth(t, health, { tls: wire.tls });
      const client = grpcJsClient(port, wire);
      t.after(() => client.close());
      const call = client.watch?.({ service: catalogName });
      const ended = new Promise((resolve) =>
        call.on("status", ({ code }: { code: number }) => resolve(code)),
      );
      const seen: string[] = [];
      for await (const answer of call as AsyncIterable<Answer>) {
        seen.push(answer.status);
        if (seen.length === 1) health.manager.update(ServingStatus.UNKNOWN);
        if (seen.length === 2) void server.stop();
      }
      assert.deepEqual(seen, ["SERVING", "UNKNOWN", "NOT_SERVING"]);
      assert.equal(await ended, status.OK);
    });
  });

  describe(`curl on ${wireName}`, { skip: missing("curl") }, () => {
    const http2 = wireName === "TLS" ? "--http2" : "--http2-prior-knowledge";
    for (const version of ["--http1.1", http2]) {
      test(`probes with ${version}`, async (t) => {
        const health = Healthcheck({ httpEnabled: true });
        const { tls, ca } = await createWire(t, wireName);
        const { baseUrl } = await serveHealth(t, health, { tls });
        const trust = ca ? ["--cacert", ca] : [];
        const curl = async (path: string, ...args: string[]) => {
          const { stdout } = await run("curl", [
            "-sS",
            version,
            "-i",
            ...trust,
            ...args,
            baseUrl + path,
          ]);
          return stdout;
        };
        const answer = await curl("/readyz");
        assert.match(answer, /^HTTP\/\S+ 200/);
        assert.match(answer, /cache-control: no-store/i);
        assert.match(answer, /"status":"SERVING"/);
        assert.match(await curl("/healthz?service=nobody"), /^HTTP\/\S+ 404/);
        assert.match(await curl("/readyz", "--head"), /^HTTP\/\S+ 200[^{]*$/);
        assert.match(await curl("/readyz", "-X", "DELETE"), /^HTTP\/\S+ 405.*allow: GET, HEAD/is);
        health.manager.update(NOT_SERVING);
        assert.match(await curl("/readyz"), /^HTTP\/\S+ 503/);
        assert.match(await curl("/livez"), /^HTTP\/\S+ 200/);
      });
    }
  });
}

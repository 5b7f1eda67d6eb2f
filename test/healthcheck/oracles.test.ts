import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { Healthcheck, ServingStatus } from "connectum/healthcheck";
import {
  type HealthCheckRequest,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
} from "../../src/healthcheck/gen/grpc/health/v1/health_pb.js";
import { missing, run } from "../interop/tools.ts";
import { catalogName, ObservedManager, serveHealth } from "./serve-health.ts";

const { SERVING, NOT_SERVING } = ServingStatus;

describe("grpc-health-probe", { skip: missing("grpc-health-probe") }, () => {
  test("exits by the status of the server and of a service", async (t) => {
    const health = Healthcheck();
    const { port } = await serveHealth(t, health);
    const probe = async (...args: string[]) => {
      const { status, stderr } = await run("grpc-health-probe", [
        `-addr=127.0.0.1:${port}`,
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

describe("grpcurl", { skip: missing("grpcurl") }, () => {
  const grpcurl = (port: number, method: string, data: object) =>
    run("grpcurl", [
      "-plaintext",
      ...["-import-path", "proto", "-proto", "grpc/health/v1/health.proto"],
      ...["-d", JSON.stringify(data), `127.0.0.1:${port}`, `grpc.health.v1.Health/${method}`],
    ]);

  test("calls Check and List", async (t) => {
    const health = Healthcheck();
    const { port } = await serveHealth(t, health);
    const check = await grpcurl(port, "Check", { service: catalogName });
    assert.deepEqual(JSON.parse(check.stdout), { status: "SERVING" });
    const unknown = await grpcurl(port, "Check", { service: "nobody" });
    assert.match(unknown.stderr, /Code: NotFound/);
    const list = await grpcurl(port, "List", {});
    assert.deepEqual(JSON.parse(list.stdout), {
      statuses: { "": { status: "SERVING" }, [catalogName]: { status: "SERVING" } },
    });
  });

  test("a Watch that the drain ends is a success", async (t) => {
    const manager = new ObservedManager();
    const { port, server } = await serveHealth(t, Healthcheck({ manager }));
    const watching = grpcurl(port, "Watch", {});
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

describe("grpc-js", () => {
  const serialize = (request: HealthCheckRequest) =>
    Buffer.from(toBinary(HealthCheckRequestSchema, request));
  const deserialize = (bytes: Buffer) => fromBinary(HealthCheckResponseSchema, bytes);
  const request = (service: string) =>
    ({ $typeName: HealthCheckRequestSchema.typeName, service }) as HealthCheckRequest;

  test("calls Check", async (t) => {
    const { port } = await serveHealth(t, Healthcheck());
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    t.after(() => client.close());
    const check = (service: string) =>
      new Promise<HealthCheckResponse | undefined>((resolve, reject) => {
        client.makeUnaryRequest(
          "/grpc.health.v1.Health/Check",
          serialize,
          deserialize,
          request(service),
          (error: ServiceError | null, response?: HealthCheckResponse) =>
            error ? reject(error) : resolve(response),
        );
      });
    assert.equal((await check(""))?.status, SERVING);
    await assert.rejects(check("nobody"), { code: status.NOT_FOUND });
  });

  test("a Watch hears of a change, and of the drain", async (t) => {
    const health = Healthcheck();
    const { port, server } = await serveHealth(t, health);
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    t.after(() => client.close());
    const call = client.makeServerStreamRequest(
      "/grpc.health.v1.Health/Watch",
      serialize,
      deserialize,
      request(catalogName),
    );
    const ended = new Promise((resolve) => call.on("status", ({ code }) => resolve(code)));
    const seen: number[] = [];
    for await (const response of call) {
      seen.push((response as HealthCheckResponse).status);
      if (seen.length === 1) health.manager.update(ServingStatus.UNKNOWN);
      if (seen.length === 2) void server.stop();
    }
    assert.deepEqual(seen, [SERVING, ServingStatus.UNKNOWN, NOT_SERVING]);
    assert.equal(await ended, status.OK);
  });
});

describe("curl", { skip: missing("curl") }, () => {
  for (const version of ["--http1.1", "--http2-prior-knowledge"]) {
    test(`probes with ${version}`, async (t) => {
      const health = Healthcheck({ httpEnabled: true });
      const { baseUrl } = await serveHealth(t, health);
      const curl = async (path: string, ...args: string[]) => {
        const { stdout } = await run("curl", ["-sS", version, "-i", ...args, baseUrl + path]);
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

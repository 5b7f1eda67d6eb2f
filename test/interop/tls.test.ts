import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createServer, defineService, peerKey, type Server, type TLSOptions } from "connectum/core";
import { Healthcheck } from "connectum/healthcheck";
import { Reflection } from "connectum/reflection";
import { createTestCertificates, type TestCertificates, type TestKeyPair } from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { missing, run } from "./tools.ts";

const sayHello = "greeter.v1.GreeterService/SayHello";
const protoDirectory = "examples/greeter/proto";
const withoutGrpcurl = missing("grpcurl");
const withoutGrpcio = missing("python3", ["-c", "import grpc, grpc_tools"]);
const withoutCurl = missing("curl");
const withoutBuf = missing("buf");
const withoutProbe = missing("grpc-health-probe", ["-version"]);

/** Answers with the name the client's certificate gives it. */
const greeter = defineService(GreeterService, {
  sayHello: ({ name }, { values }) => ({
    greeting: `Hello, ${values.get(peerKey).certificate?.subject ?? name}!`,
  }),
});

let directory: string;
let ca: string;
let authority: TestCertificates;
let serverPair: TestKeyPair;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), "connectum-"));
  authority = await createTestCertificates();
  serverPair = await authority.issue();
  ca = save("ca.crt", authority.ca);
});
after(() => rmSync(directory, { recursive: true }));

function save(name: string, pem: string): string {
  writeFileSync(join(directory, name), pem);
  return join(directory, name);
}

async function start(tls: Partial<TLSOptions>): Promise<{ server: Server; port: number }> {
  const server = createServer({
    services: [greeter],
    port: 0,
    host: "127.0.0.1",
    tls: { ...serverPair, ...tls },
    protocols: [Healthcheck({ httpEnabled: true }), Reflection()],
  });
  await server.start();
  return { server, port: (server.address as unknown as { port: number }).port };
}

describe("outside clients over TLS", () => {
  let server: Server;
  let port: number;
  before(async () => {
    ({ server, port } = await start({}));
  });
  after(() => server.stop());

  test("grpcurl lists, describes and calls", { skip: withoutGrpcurl }, async () => {
    const grpcurl = (...args: string[]) => run("grpcurl", ["-cacert", ca, ...args]);
    const list = await grpcurl(`127.0.0.1:${port}`, "list");
    assert.match(list.stdout, /^greeter\.v1\.GreeterService$/m, list.stderr);
    const described = await grpcurl(`127.0.0.1:${port}`, "describe", "greeter.v1.GreeterService");
    assert.match(described.stdout, /rpc Converse \( stream/);
    const called = await grpcurl("-d", '{"name":"Ada"}', `127.0.0.1:${port}`, sayHello);
    assert.deepEqual(JSON.parse(called.stdout), { greeting: "Hello, Ada!" });
  });

  for (const protocol of ["connect", "grpc", "grpcweb"]) {
    test(`buf curl --reflect calls over ${protocol}`, { skip: withoutBuf }, async () => {
      const { stdout, stderr } = await run("buf", [
        ...["curl", "--cacert", ca, "--protocol", protocol],
        ...["--reflect", "-d", '{"name":"Ada"}', `https://127.0.0.1:${port}/${sayHello}`],
      ]);
      assert.deepEqual(JSON.parse(stdout || "null"), { greeting: "Hello, Ada!" }, stderr);
    });
  }

  test("grpc-health-probe is satisfied", { skip: withoutProbe }, async () => {
    const { status, stderr } = await run("grpc-health-probe", [
      ...[`-addr=127.0.0.1:${port}`, "-tls", `-tls-ca-cert=${ca}`],
    ]);
    assert.equal(status, 0, stderr);
  });

  for (const version of ["--http1.1", "--http2"]) {
    test(`curl ${version} gets the HTTP probes`, { skip: withoutCurl }, async () => {
      for (const path of ["/livez", "/readyz", "/healthz"]) {
        const url = `https://127.0.0.1:${port}${path}`;
        const { stdout } = await run("curl", ["-sS", "--cacert", ca, version, url]);
        assert.equal(JSON.parse(stdout).status, "SERVING");
      }
    });
  }

  test("Python grpcio calls", { skip: withoutGrpcio }, async () => {
    const args = ["test/interop/grpcio-tls-client.py", `127.0.0.1:${port}`, protoDirectory, ca];
    const { stdout, stderr } = await run("python3", args);
    assert.equal(stdout, "Hello, Ada!\n", stderr);
  });
});

describe("outside clients where a client certificate is required", () => {
  let server: Server;
  let port: number;
  let known: string[];
  let wrong: string[];
  before(async () => {
    ({ server, port } = await start({ ca: authority.ca, clientAuth: "require" }));
    const good = await authority.issue({ name: "billing" });
    const stranger = await (await createTestCertificates()).issue({ name: "billing" });
    known = [save("known.key", good.key), save("known.crt", good.cert)];
    wrong = [save("wrong.key", stranger.key), save("wrong.crt", stranger.cert)];
  });
  after(() => server.stop());

  test("grpcurl: with one it is known by it, without and with a wrong one refused", {
    skip: withoutGrpcurl,
  }, async () => {
    const call = async (pair: string[]) => {
      const [key, cert] = pair;
      const certificate = key && cert ? ["-key", key, "-cert", cert] : [];
      const target = [`127.0.0.1:${port}`, sayHello];
      return run("grpcurl", ["-cacert", ca, ...certificate, "-d", "{}", ...target]);
    };
    assert.deepEqual(JSON.parse((await call(known)).stdout), { greeting: "Hello, CN=billing!" });
    for (const pair of [[], wrong]) assert.notEqual((await call(pair)).status, 0);
  });

  test("curl: with one it is known by it, without and with a wrong one refused", {
    skip: withoutCurl,
  }, async () => {
    for (const version of ["--http1.1", "--http2"]) {
      const call = ([key, cert]: string[]) =>
        run("curl", [
          ...["-sS", version, "--cacert", ca],
          ...(key && cert ? ["--key", key, "--cert", cert] : []),
          ...["-H", "content-type: application/json", "-d", "{}"],
          `https://127.0.0.1:${port}/${sayHello}`,
        ]);
      assert.equal((await call(known)).stdout, '{"greeting":"Hello, CN=billing!"}');
      for (const pair of [[], wrong]) assert.notEqual((await call(pair)).status, 0);
    }
  });

  test("Python grpcio: with one it is known by it, without and with a wrong one refused", {
    skip: withoutGrpcio,
  }, async () => {
    const call = (pair: string[]) =>
      run("python3", [
        "test/interop/grpcio-tls-client.py",
        ...[`127.0.0.1:${port}`, protoDirectory, ca, ...pair],
      ]);
    assert.equal((await call(known)).stdout, "Hello, CN=billing!\n");
    for (const pair of [[], wrong]) assert.equal((await call(pair)).stdout, "UNAVAILABLE\n");
  });
});

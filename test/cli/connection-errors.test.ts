import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { Healthcheck } from "connectum/healthcheck";
import { Reflection } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { connectum } from "./connectum.ts";
import { authority, pemFiles, serverPair } from "./pem-files.ts";

const createProtocols = () => [Reflection(), Healthcheck()];

async function listen(t: TestContext, server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The one line and the hint a failed command prints. */
async function failure(args: string[], expectedCode = 1): Promise<{ error: string; hint: string }> {
  const { code, stdout, stderr } = await connectum(args);
  assert.equal(code, expectedCode, stderr);
  assert.equal(stdout, "");
  const [error = "", hint = "", ...more] = stderr.trimEnd().split("\n");
  assert.deepEqual(more, [], "more than one line and a hint");
  assert.match(error, /^error: /);
  return { error, hint };
}

async function succeeds(args: string[]): Promise<void> {
  const { code, stderr } = await connectum(args);
  assert.equal(code, 0, stderr);
}

describe("a server that cannot be reached", { concurrency: 2 }, () => {
  test("nobody listens", async () => {
    const { error, hint } = await failure(["list", "http://127.0.0.1:9"]);
    assert.match(error, /cannot connect to 127\.0\.0\.1:9: connection refused/);
    assert.match(hint, /is the server running/);
  });

  test("the name has no address", async () => {
    const { error } = await failure(["list", "http://no-such-host.invalid:5000"]);
    assert.match(error, /no address for "no-such-host\.invalid"/);
  });

  test("it speaks HTTP/1.1 only", async (t) => {
    const http = createHttpServer((_, response) => response.end("hello"));
    const { error, hint } = await failure(["list", await listen(t, http)]);
    assert.match(error, /speaks HTTP\/1\.1 and no HTTP\/2/);
    assert.match(hint, /need HTTP\/2/);
  });

  test("it is no RPC server at all", async (t) => {
    const address = await listen(
      t,
      createTcpServer((socket) => socket.destroy()),
    );
    const { error } = await failure(["health", address]);
    assert.match(error, /closed the connection/);
  });

  test("it has no health service", async (t) => {
    const { baseUrl } = await createTestServer({ t, protocols: [Reflection()] });
    const { error, hint } = await failure(["health", baseUrl]);
    assert.match(error, /no grpc\.health\.v1\.Health/);
    assert.match(hint, /Healthcheck\(\)/);
  });

  test("it has no reflection", async (t) => {
    const { baseUrl } = await createTestServer({ t, protocols: [Healthcheck()] });
    const { error, hint } = await failure(["list", baseUrl]);
    assert.match(error, /the server has no reflection/);
    assert.match(hint, /Reflection\(\)/);
  });
});

describe("TLS", { concurrency: 2 }, () => {
  test("https to a plaintext server, http to a TLS server: both say what to write", async (t) => {
    const plain = await createTestServer({ t, protocols: createProtocols() });
    const tls = await createTestServer({ t, protocols: createProtocols(), tls: serverPair });
    const wrongTls = await failure(["list", plain.baseUrl.replace("http:", "https:")]);
    assert.match(wrongTls.error, /does not speak TLS/);
    assert.match(wrongTls.hint, /http:\/\//);
    const wrongPlain = await failure(["list", tls.baseUrl.replace("https:", "http:")]);
    assert.match(wrongPlain.error, /speaks TLS/);
    assert.match(wrongPlain.hint, /https:\/\//);
  });

  test("an unknown authority is refused; --ca and --insecure accept", async (t) => {
    const { baseUrl } = await createTestServer({
      t,
      protocols: createProtocols(),
      tls: serverPair,
    });
    const { error, hint } = await failure(["list", baseUrl]);
    assert.match(error, /not signed by a trusted authority/);
    assert.match(hint, /--ca <file>.*--insecure/);
    await succeeds(["list", baseUrl, "--ca", pemFiles(t).ca]);
    await succeeds(["list", baseUrl, "--insecure"]);
    await succeeds(["health", baseUrl.replace("https://", ""), "--tls", "--ca", pemFiles(t).ca]);
  });

  test("a certificate for another name is refused", async (t) => {
    const pair = await authority.issue({ names: ["elsewhere.test", "127.0.0.1"] });
    const { port } = await createTestServer({ t, protocols: createProtocols(), tls: pair });
    const url = `https://localhost:${port}`;
    const { error } = await failure(["list", url, "--ca", pemFiles(t).ca]);
    assert.match(error, /certificate is not for "localhost"/);
  });

  test("mTLS: without a certificate and with one of a stranger it says so", async (t) => {
    const { baseUrl } = await createTestServer({
      t,
      protocols: createProtocols(),
      tls: { ...serverPair, ca: authority.ca, clientAuth: "require" },
    });
    const { ca, client, stranger } = pemFiles(t);
    const none = await failure(["list", baseUrl, "--ca", ca]);
    assert.match(none.error, /wants a client certificate/);
    assert.match(none.hint, /--cert <file> --key <file>/);
    const wrong = await failure(["list", baseUrl, "--ca", ca, ...stranger]);
    assert.match(wrong.error, /client certificate/);
    await succeeds(["list", baseUrl, "--ca", ca, ...client]);
  });
});

describe("arguments that cannot work", { concurrency: 2 }, () => {
  const wrong: [name: string, args: string[], message: RegExp][] = [
    ["no URL", ["list", "http://"], /"http:\/\/" is no URL/],
    ["another scheme", ["list", "ftp://host"], /scheme "ftp"/],
    ["a header without colon", ["list", "localhost:1", "-H", "token"], /-H "token" is no header/],
    ["TLS options on http", ["list", "http://localhost:1", "--insecure"], /--insecure needs TLS/],
    ["a certificate without key", ["list", "localhost:1", "--cert", "x"], /belong together/],
    [
      "a missing file",
      ["list", "localhost:1", "--ca", "/no/such"],
      /cannot read \/no\/such \(ENOENT\)/,
    ],
    ["a file that is no PEM", ["list", "localhost:1", "--ca", "package.json"], /is no PEM file/],
    ["gRPC over HTTP/1.1", ["call", "localhost:1", "a.B/C", "--http1"], /gRPC needs HTTP\/2/],
    [
      "a protocol that is none",
      ["list", "localhost:1", "--protocol", "soap"],
      /must be one of grpc, /,
    ],
  ];
  for (const [name, args, message] of wrong) {
    test(`${name}: exit code 2, before anything is sent`, async () => {
      const { error } = await failure(args, 2);
      assert.match(error, message);
    });
  }
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import type { Server } from "connectum/core";
import { createTestCertificates } from "connectum/testing";
import { SignJWT } from "jose";
import { main as startGateway } from "../../examples/auth/gateway-server.ts";
import { NotesService } from "../../examples/auth/gen/notes/v1/notes_pb.js";
import { main as startJwt } from "../../examples/auth/jwt-server.ts";
import { main as startMtls } from "../../examples/auth/mtls-server.ts";
import { main as startSessions } from "../../examples/auth/session-server.ts";
import { startTestJwksServer } from "../../src/testing/identities/test-jwks-server.ts";
import { generateTestKeypair } from "../../src/testing/identities/test-keypair.ts";
import { missing } from "../interop/tools.ts";

const portOf = (server: Server) => (server.address as AddressInfo).port;
const denied = "[permission_denied] Access denied";

/** Every method, as one caller sees it. */
async function callAll(transport: Transport, headers: Record<string, string> = {}) {
  const client = createClient(NotesService, transport);
  const outcome = (call: Promise<object>) =>
    call.then(
      () => "ok",
      (error) => ConnectError.from(error).message,
    );
  return {
    about: await outcome(client.about({}, { headers })),
    add: await outcome(client.addNote({ text: "hello" }, { headers })),
    list: await outcome(client.listNotes({}, { headers })),
    delete: await outcome(client.deleteNotes({}, { headers })),
  };
}

test("jwt-server: tokens of an issuer, and the proto's rules", async (t) => {
  const pair = generateTestKeypair({ algorithm: "ES256" });
  const issuer = await startTestJwksServer([pair]);
  t.after(() => issuer.close());
  const server = await startJwt({ issuer: "https://id.example", jwksUri: issuer.jwksUri }, 0);
  t.after(() => server.stop());
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${portOf(server)}` });
  const { createPrivateKey } = await import("node:crypto");
  const token = async (scope: string, roles: string[]) => {
    const signed = await new SignJWT({ scope, realm_access: { roles } })
      .setProtectedHeader({ alg: "ES256", kid: pair.kid })
      .setSubject("ada")
      .setIssuer("https://id.example")
      .setAudience("notes")
      .setExpirationTime("1h")
      .sign(createPrivateKey(pair.privateKey));
    return { authorization: `Bearer ${signed}` };
  };
  const missingToken = "[unauthenticated] Missing credentials";
  assert.deepEqual(await callAll(transport), {
    about: "ok",
    add: missingToken,
    list: missingToken,
    delete: missingToken,
  });
  assert.deepEqual(await callAll(transport, await token("notes:write", [])), {
    about: "ok",
    add: "ok",
    list: "ok",
    delete: denied,
  });
  assert.deepEqual(await callAll(transport, await token("", ["admin"])), {
    about: "ok",
    add: denied,
    list: "ok",
    delete: "ok",
  });
});

test("session-server: a session in Redis", { skip: missing("redis-server") }, async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "redis.sock");
  const redis = start(
    t,
    "redis-server",
    ["--port", "0", "--unixsocket", path, "--save", ""],
    directory,
  );
  await listening({ path }, redis);
  const { server, sessions } = await startSessions({ socket: { path, tls: false } }, 0);
  t.after(() => server.stop());
  const baseUrl = `http://127.0.0.1:${portOf(server)}`;
  const transport = createConnectTransport({ baseUrl, httpVersion: "1.1" });
  const token = await sessions.create({ user: "ada", scopes: ["notes:write"] });
  const cookie = `theme=dark; session=${token}`;
  assert.deepEqual(await callAll(transport, { cookie }), {
    about: "ok",
    add: "ok",
    list: "ok",
    delete: denied,
  });
  await sessions.end(token);
  assert.equal(
    (await callAll(transport, { cookie })).list,
    "[unauthenticated] Authentication failed",
  );
  redis.kill("SIGKILL");
  await redis.exited;
  const down = await callAll(transport, { cookie });
  assert.deepEqual([down.about, down.list], ["ok", "[unavailable] sessions are unavailable"]);
});

test("gateway-server: behind nginx", { skip: missing("nginx", ["-v"]) }, async (t) => {
  const directory = temporaryDirectory(t);
  const server = await startGateway("the-secret-of-this-test", 0);
  t.after(() => server.stop());
  const port = await freePort();
  const config = readFileSync("examples/auth/nginx.conf", "utf8")
    .replace("127.0.0.1:5000", `127.0.0.1:${portOf(server)}`)
    .replace("127.0.0.1:8080", `127.0.0.1:${port}`)
    .replace("GATEWAY_SECRET", "the-secret-of-this-test");
  writeFileSync(join(directory, "nginx.conf"), config);
  writeFileSync(join(directory, "users"), "ada:{PLAIN}lovelace\nbob:{PLAIN}builder\n");
  const nginx = start(t, "nginx", ["-p", directory, "-e", "stderr", "-c", "nginx.conf"], directory);
  await listening({ port, host: "127.0.0.1" }, nginx);
  const through = createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` });
  const direct = createGrpcTransport({ baseUrl: `http://127.0.0.1:${portOf(server)}` });
  const login = (text: string) => ({
    authorization: `Basic ${Buffer.from(text).toString("base64")}`,
  });
  const forged = { "x-user-id": "root", "x-user-scopes": "notes:write" };
  assert.deepEqual(await callAll(through, login("ada:lovelace")), {
    about: "ok",
    add: "ok",
    list: "ok",
    delete: denied,
  });
  assert.equal((await callAll(through, { ...login("bob:builder"), ...forged })).add, denied);
  assert.match((await callAll(through, login("ada:wrong"))).list, /^\[unauthenticated\]/);
  const untrusted = "[unauthenticated] Untrusted request source";
  assert.equal((await callAll(direct, { ...forged, "x-gateway-secret": "guess" })).list, untrusted);
});

test("mtls-server: SPIFFE ids in client certificates", async (t) => {
  const authority = await createTestCertificates();
  const server = await startMtls({ ...(await authority.issue()), ca: authority.ca }, 0);
  t.after(() => server.stop());
  const baseUrl = `https://127.0.0.1:${portOf(server)}`;
  const as = async (id: string, issuer = authority) => {
    const pair = await issuer.issue({ uris: [id] });
    const nodeOptions = { ...pair, ca: authority.ca };
    return callAll(createGrpcTransport({ baseUrl, nodeOptions }));
  };
  const workload = "spiffe://shop.example/ns/notes/sa/";
  assert.deepEqual(await as(`${workload}writer`), {
    about: "ok",
    add: "ok",
    list: "ok",
    delete: denied,
  });
  assert.deepEqual(await as(`${workload}reader`), {
    about: "ok",
    add: denied,
    list: "ok",
    delete: denied,
  });
  assert.equal((await as(`${workload}other`)).list, "[unauthenticated] Authentication failed");
  const impostor = await as(`${workload}writer`, await createTestCertificates());
  assert.doesNotMatch(impostor.about, /ok/);
});

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "connectum-auth-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function start(t: TestContext, command: string, args: string[], cwd: string) {
  const child = spawn(command, args, { cwd, stdio: "ignore" });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return Object.assign(child, { exited });
}

/** Resolves when something accepts connections there. */
async function listening(
  target: { path: string } | { port: number; host: string },
  child: { readonly exitCode: number | null },
): Promise<void> {
  for (;;) {
    const socket = connect(target);
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    assert.equal(child.exitCode, null, "the process has ended");
    await sleep(20);
  }
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

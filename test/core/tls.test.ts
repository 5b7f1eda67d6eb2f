import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { createServer, defineService, type TLSOptions } from "connectum/core";
import {
  createTestCertificates,
  createTestServer,
  type TestCertificates,
  type TestKeyPair,
} from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";
import { createTransport, grid } from "../support/transports.ts";

const services = [defineService(GreeterService, greeter)];
let authority: TestCertificates;
let serverPair: TestKeyPair;
let clientPair: TestKeyPair;

before(async () => {
  authority = await createTestCertificates();
  serverPair = await authority.issue();
  clientPair = await authority.issue({ name: "client" });
});

describe("tls", () => {
  for (const name of grid) {
    test(`answers ${name}`, async (t) => {
      const { baseUrl } = await createTestServer({ t, services, tls: serverPair });
      const transport = createTransport(name, baseUrl, { ca: authority.ca });
      const client = createClient(GreeterService, transport);
      assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
    });
  }

  test("ALPN offers what is allowed", async (t) => {
    const negotiate = async (port: number, protocols: string[]) => {
      const socket: TLSSocket = connect({
        port,
        host: "127.0.0.1",
        ca: authority.ca,
        ALPNProtocols: protocols,
      });
      await once(socket, "secureConnect");
      socket.destroy();
      return socket.alpnProtocol;
    };
    const both = await createTestServer({ t, services, tls: serverPair });
    assert.equal(await negotiate(both.port, ["h2", "http/1.1"]), "h2");
    assert.equal(await negotiate(both.port, ["http/1.1"]), "http/1.1");
    const onlyHttp1 = await createTestServer({
      t,
      services,
      tls: serverPair,
      allowHTTP2: false,
      transportValidation: "off",
    });
    assert.equal(await negotiate(onlyHttp1.port, ["h2", "http/1.1"]), "http/1.1");
  });

  test("clientAuth require serves only clients with a certificate of the CA", async (t) => {
    const tls: TLSOptions = { ...serverPair, ca: authority.ca, clientAuth: "require" };
    const { baseUrl } = await createTestServer({ t, services, tls });
    const call = (pair?: TestKeyPair) =>
      createClient(
        GreeterService,
        createTransport("gRPC h2", baseUrl, { ca: authority.ca, ...pair }),
      ).sayHello({ name: "Ada" });
    assert.equal((await call(clientPair)).greeting, "Hello, Ada!");
    await assert.rejects(call());
    const stranger = await (await createTestCertificates()).issue();
    await assert.rejects(call(stranger));
  });

  test("reads a directory, and names the file and the reason when it cannot", async (t) => {
    const dirPath = mkdtempSync(join(tmpdir(), "connectum-"));
    t.after(() => rmSync(dirPath, { recursive: true }));
    const start = () =>
      createServer({ services, port: 0, host: "127.0.0.1", tls: { dirPath } }).start();
    await assert.rejects(start(), { code: "TLS_FILE", message: /server\.key.*ENOENT/ });

    writeFileSync(join(dirPath, "server.key"), serverPair.key);
    writeFileSync(join(dirPath, "server.crt"), "garbage");
    await assert.rejects(start(), { code: "TLS_FILE", message: /server\.crt.*certificate/ });

    writeFileSync(join(dirPath, "server.crt"), clientPair.cert);
    await assert.rejects(start(), {
      code: "TLS_KEY_MISMATCH",
      message: /server\.key.*server\.crt/,
    });

    const expired = await authority.issue({ notAfter: new Date(Date.now() - 1_000) });
    writeFileSync(join(dirPath, "server.key"), expired.key);
    writeFileSync(join(dirPath, "server.crt"), expired.cert);
    await assert.rejects(start(), { code: "TLS_EXPIRED", message: /server\.crt/ });

    writeFileSync(join(dirPath, "server.key"), serverPair.key);
    writeFileSync(join(dirPath, "server.crt"), serverPair.cert);
    const { baseUrl } = await createTestServer({ t, services, tls: { dirPath } });
    assert.match(baseUrl, /^https/);
  });
});

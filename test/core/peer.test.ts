import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { defineService, type Peer, peerKey, type TLSOptions } from "connectum/core";
import {
  createTestCertificates,
  createTestServer,
  type TestCertificates,
  type TestKeyPair,
} from "connectum/testing";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { createTransport, grid } from "../support/transports.ts";

let authority: TestCertificates;
let serverPair: TestKeyPair;
let clientPair: TestKeyPair;
before(async () => {
  authority = await createTestCertificates();
  serverPair = await authority.issue();
  clientPair = await authority.issue({
    name: "billing",
    names: ["billing.internal", "odd, DNS:admin.internal"],
    uris: ["spiffe://example.org/billing"],
  });
});

function recordPeers() {
  const peers: Peer[] = [];
  const interceptor: Interceptor = (next) => (request) => {
    peers.push(request.contextValues.get(peerKey));
    return next(request);
  };
  const service = defineService(GreeterService, {
    sayHello(_, { values }) {
      peers.push(values.get(peerKey));
      return {};
    },
  });
  return { peers, interceptors: [interceptor], services: [service] };
}

describe("peerKey", () => {
  for (const name of grid) {
    test(`has address and port over ${name}, and no certificate on plaintext`, async (t) => {
      const { peers, ...options } = recordPeers();
      const { baseUrl } = await createTestServer({ t, ...options });
      await createClient(GreeterService, createTransport(name, baseUrl)).sayHello({});
      assert.equal(peers.length, 2);
      assert.equal(peers[0]?.address, "127.0.0.1");
      assert.ok((peers[0]?.port ?? 0) > 0);
      assert.equal(peers[0]?.certificate, undefined);
    });

    test(`has the verified certificate over ${name}`, async (t) => {
      const { peers, ...options } = recordPeers();
      const tls: TLSOptions = { ...serverPair, ca: authority.ca, clientAuth: "require" };
      const { baseUrl } = await createTestServer({ t, ...options, tls });
      const transport = createTransport(name, baseUrl, { ca: authority.ca, ...clientPair });
      await createClient(GreeterService, transport).sayHello({});
      const certificate = peers[0]?.certificate;
      assert.equal(certificate?.subject, "CN=billing");
      assert.deepEqual(certificate?.dnsNames, ["billing.internal", "odd, DNS:admin.internal"]);
      assert.deepEqual(certificate?.uris, ["spiffe://example.org/billing"]);
      assert.match(certificate?.serialNumber ?? "", /^01[0-9A-F]{16}$/);
      assert.match(certificate?.fingerprint256 ?? "", /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
      assert.equal(peers[1], peers[0]);
    });
  }

  test("with clientAuth request a certificate nobody vouches for does not count", async (t) => {
    const { peers, ...options } = recordPeers();
    const tls: TLSOptions = { ...serverPair, ca: authority.ca, clientAuth: "request" };
    const { baseUrl } = await createTestServer({ t, ...options, tls });
    const stranger = await (await createTestCertificates()).issue({ name: "billing" });
    for (const pair of [undefined, stranger, clientPair]) {
      const transport = createTransport("gRPC h2", baseUrl, { ca: authority.ca, ...pair });
      await createClient(GreeterService, transport).sayHello({});
    }
    const subjects = peers.filter((_, index) => index % 2 === 0).map((peer) => peer.certificate);
    assert.deepEqual(
      subjects.map((certificate) => certificate?.subject),
      [undefined, undefined, "CN=billing"],
    );
  });
});

describe("the wrong client on a port", () => {
  function collectWarnings() {
    const warnings: string[] = [];
    const ignore = () => {};
    const warn = (_: object, message: string) => warnings.push(message);
    return { warnings, logger: { debug: ignore, info: ignore, error: ignore, warn } };
  }

  test("a TLS client on the plaintext port is closed at once, with one line that says why", async (t) => {
    const { warnings, logger } = collectWarnings();
    const { port } = await createTestServer({ t, logger });
    for (let attempt = 0; attempt < 2; attempt++) {
      const socket = connectTls({ port, host: "127.0.0.1" });
      await assert.rejects(once(socket, "secureConnect"));
    }
    assert.deepEqual(warnings, ["a TLS client came to the plaintext port; use http"]);
  });

  test("a plaintext client on the TLS port is closed at once, with one line that says why", async (t) => {
    const { warnings, logger } = collectWarnings();
    const { port } = await createTestServer({ t, logger, tls: serverPair });
    for (const bytes of ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]) {
      const socket = connectTcp(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.resume();
      socket.write(bytes);
      await once(socket, "close");
    }
    assert.deepEqual(warnings, ["a plaintext client came to the TLS port; use https"]);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connect } from "node:tls";
import { createTestCertificates, createTestServer } from "connectum/testing";

describe("tls options", () => {
  test("keyPath, certPath and caPath are read", async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "connectum-"));
    t.after(() => rmSync(directory, { recursive: true }));
    const authority = await createTestCertificates();
    const own = await authority.issue({ name: "from a file" });
    const file = (name: string, text: string) => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const { port } = await createTestServer({
      t,
      tls: {
        keyPath: file("a.key", own.key),
        certPath: file("a.crt", own.cert),
        caPath: file("a.ca", authority.ca),
        clientAuth: "require",
      },
    });
    const client = await authority.issue({ name: "client" });
    const open = (pair: object) =>
      connect({ port, host: "127.0.0.1", ca: authority.ca, maxVersion: "TLSv1.2", ...pair });
    const known = open(client);
    t.after(() => known.destroy());
    await once(known, "secureConnect");
    assert.equal(known.getPeerCertificate().subject.CN, "from a file");
    const stranger = open(await (await createTestCertificates()).issue());
    await assert.rejects(once(stranger, "secureConnect"));
  });

  test("minVersion refuses older clients", async (t) => {
    const authority = await createTestCertificates();
    const pair = await authority.issue();
    const open = (port: number) =>
      connect({ port, host: "127.0.0.1", ca: authority.ca, maxVersion: "TLSv1.2" });
    const strict = await createTestServer({ t, tls: { ...pair, minVersion: "TLSv1.3" } });
    await assert.rejects(once(open(strict.port), "secureConnect"));
    const usual = await createTestServer({ t, tls: pair });
    const socket = open(usual.port);
    t.after(() => socket.destroy());
    await once(socket, "secureConnect");
    assert.equal(socket.getProtocol(), "TLSv1.2");
  });
});

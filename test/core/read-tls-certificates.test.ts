import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { readTLSCertificates, type TLSOptions } from "connectum/core";
import { createTestCertificates } from "connectum/testing";

describe("readTLSCertificates", () => {
  test("reads a directory, the CA only where clients are verified", async (t) => {
    const dirPath = mkdtempSync(join(tmpdir(), "connectum-"));
    t.after(() => rmSync(dirPath, { recursive: true }));
    const { ca, server } = await createTestCertificates();
    writeFileSync(join(dirPath, "server.key"), server.key);
    writeFileSync(join(dirPath, "server.crt"), server.cert);
    writeFileSync(join(dirPath, "ca.crt"), ca);
    const read = readTLSCertificates({ dirPath, clientAuth: "request" });
    assert.deepEqual([read.key, read.cert, read.ca].map(String), [server.key, server.cert, ca]);
    assert.equal(readTLSCertificates({ dirPath }).ca, undefined);
  });

  test("throws for what start() would reject", async () => {
    const { server, client } = await createTestCertificates();
    const attempts: Array<[TLSOptions, string]> = [
      [{}, "INVALID_OPTION"],
      [{ dirPath: "/nowhere" }, "TLS_FILE"],
      [{ key: server.key, cert: "no PEM" }, "TLS_FILE"],
      [{ key: server.key, cert: client.cert }, "TLS_KEY_MISMATCH"],
    ];
    for (const [options, code] of attempts) {
      assert.throws(() => readTLSCertificates(options), { code });
    }
  });
});

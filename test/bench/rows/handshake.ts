import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestCertificates } from "connectum/testing";
import { inProcess } from "../loads.ts";
import type { Row } from "../row.ts";
import { throughputRow } from "../throughput.ts";

/** What a TLS handshake costs beside one with a bare node:tls server. */
export const handshake: Row = {
  id: "HANDSHAKE",
  what: "TLS handshakes, a new connection each",
  needs: [],
  async run(bench) {
    const directory = mkdtempSync(join(tmpdir(), "connectum-"));
    const { key, cert } = await (await createTestCertificates()).issue();
    writeFileSync(join(directory, "server.key"), key);
    writeFileSync(join(directory, "server.crt"), cert);
    const contender = (name: string) => ({
      peer: { script: "handshakes", args: [name, directory] },
      load: inProcess,
    });
    try {
      return await throughputRow({
        id: "HANDSHAKE",
        what: "",
        needs: [],
        unit: "handshakes",
        contenders: { connectum: contender("connectum"), "node:tls": contender("bare") },
        compare: [{ of: "connectum", to: "node:tls" }],
      }).run(bench);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
};

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createTestCertificates } from "connectum/testing";

export const authority = await createTestCertificates();
export const serverPair = await authority.issue();
const clientPair = await authority.issue({ name: "client" });
const strangerPair = await (await createTestCertificates()).issue({ name: "stranger" });

export type PemFiles = ReturnType<typeof pemFiles>;

/** PEM files for a server and for `--ca`, `--cert` and `--key`. */
export function pemFiles(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "connectum-pem-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const clientArgs = (name: string, { cert, key }: typeof clientPair) => [
    "--cert",
    write(`${name}.pem`, cert),
    "--key",
    write(`${name}.key`, key),
  ];
  return {
    ca: write("ca.pem", authority.ca),
    serverCert: write("server.pem", serverPair.cert),
    serverKey: write("server.key", serverPair.key),
    client: clientArgs("client", clientPair),
    stranger: clientArgs("stranger", strangerPair),
  };
}

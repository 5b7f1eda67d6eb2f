import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestCertificates } from "connectum/testing";

/** A directory of key and certificate that is swapped as Kubernetes swaps a secret. */
export async function createRotatingCertificate() {
  const authority = await createTestCertificates();
  const directory = mkdtempSync(join(tmpdir(), "connectum-"));
  const caPath = join(directory, "ca.crt");
  writeFileSync(caPath, authority.ca);
  let version = 0;
  const rotate = async () => {
    const name = `v${++version}`;
    const { key, cert } = await authority.issue();
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, "server.key"), key);
    writeFileSync(join(directory, name, "server.crt"), cert);
    symlinkSync(name, join(directory, "next"));
    renameSync(join(directory, "next"), join(directory, "live"));
  };
  await rotate();
  return {
    ca: authority.ca,
    caPath,
    dirPath: join(directory, "live"),
    rotate,
    get version() {
      return version;
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}

import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestCertificates } from "connectum/testing";

/** A certificate for the replicas in a new directory, and the file of the authority clients trust. */
export async function writeCertificates() {
  const directory = await mkdtemp(join(tmpdir(), "rolling-tls-"));
  const authority = await createTestCertificates();
  const { key, cert } = await authority.issue();
  const caFile = join(directory, "authority.crt");
  await writeFile(join(directory, "server.key"), key);
  await writeFile(join(directory, "server.crt"), cert);
  await writeFile(caFile, authority.ca);
  return { directory, caFile, ca: await readFile(caFile) };
}

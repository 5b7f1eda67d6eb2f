import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { TLSOptions } from "connectum/core";
import { createTestCertificates } from "connectum/testing";

/** What a test of an outside client needs to run once on plaintext and once on TLS. */
export interface Wire {
  readonly tls: TLSOptions | undefined;
  /** Path of the CA certificate, or undefined on plaintext. */
  readonly ca: string | undefined;
  readonly caPem: string | undefined;
}

export const wireNames = ["plaintext", "TLS"] as const;

/** Certificates live as long as the test. */
export async function createWire(t: TestContext, name: (typeof wireNames)[number]): Promise<Wire> {
  if (name === "plaintext") return { tls: undefined, ca: undefined, caPem: undefined };
  const authority = await createTestCertificates();
  const directory = mkdtempSync(join(tmpdir(), "connectum-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const ca = join(directory, "ca.crt");
  writeFileSync(ca, authority.ca);
  return { tls: await authority.issue(), ca, caPem: authority.ca };
}

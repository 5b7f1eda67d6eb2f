import { createTestCertificates, type TestKeyPair } from "connectum/testing";

export type KeyPair = TestKeyPair;

export interface CertificateOptions {
  readonly name?: string;
  readonly dnsNames?: readonly string[];
  readonly uris?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** An authority whose certificates are good for the loopback unless they are asked to be otherwise. */
export async function createAuthority() {
  const { ca, issue } = await createTestCertificates();
  return {
    cert: ca,
    issue({ name = "localhost", dnsNames = ["localhost"], ...rest }: CertificateOptions = {}) {
      return issue({ name, names: [...dnsNames, "127.0.0.1"], ...rest });
    },
  };
}

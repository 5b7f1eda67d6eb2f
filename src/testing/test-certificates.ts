import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { checkKeys, checkList, checkText } from "../core/internal.ts";
import { requirePeer } from "./optional-peer.ts";

type X509 = typeof import("@peculiar/x509");

export interface TestCertificatesOptions {
  /**
   * Names of the server: DNS names and IP addresses. Default `["localhost", "127.0.0.1"]`.
   */
  readonly names?: readonly string[];
  /** Subject and URI names, such as a SPIFFE id, of the client certificate. Default `CN=client`. */
  readonly client?: { readonly name?: string; readonly uris?: readonly string[] };
}

/** A private key and its certificate, PEM. */
export interface TestKeyPair {
  readonly key: string;
  readonly cert: string;
}

export interface TestCertificates {
  /** Certificate of the authority that signed the others, PEM. */
  readonly ca: string;
  readonly server: TestKeyPair;
  readonly client: TestKeyPair;
  /** Signs another certificate, for example one that has expired. Default one for the loopback. */
  issue(options?: IssueOptions): Promise<TestKeyPair>;
}

export interface IssueOptions {
  /** Common name of the subject. Default `localhost`. */
  readonly name?: string;
  /** DNS names and IP addresses. Default `["localhost", "127.0.0.1"]`. */
  readonly names?: readonly string[];
  /** URI names, such as a SPIFFE id. Default none. */
  readonly uris?: readonly string[];
  /** Default a day ago. */
  readonly notBefore?: Date;
  /** Default in a day. */
  readonly notAfter?: Date;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
const LOOPBACK = ["localhost", "127.0.0.1"];

/**
 * An authority, a server and a client certificate, made in memory and valid for a day, for tests of TLS
 * and mTLS. Needs the packages `@peculiar/x509` and `reflect-metadata`; rejects with `MISSING_PACKAGE`
 * without them.
 */
export async function createTestCertificates(
  options: TestCertificatesOptions = {},
): Promise<TestCertificates> {
  checkKeys("createTestCertificates()", options, ["names", "client"]);
  const { names = LOOPBACK, client = {} } = options;
  checkList("names", names, checkText);
  checkKeys("client", client, ["name", "uris"]);
  const x509 = loadX509();
  const keys = await generateKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    // Two authorities of one name would fail handshakes in other ways than strangers do.
    name: `CN=connectum test authority ${randomSerial()}`,
    keys,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  const issue = async (wanted: IssueOptions = {}): Promise<TestKeyPair> => {
    checkKeys("issue()", wanted, ["name", "names", "uris", "notBefore", "notAfter"]);
    const leafKeys = await generateKeys();
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: randomSerial(),
      subject: `CN=${wanted.name ?? "localhost"}`,
      issuer: root.subject,
      notBefore: wanted.notBefore ?? new Date(Date.now() - DAY_MS),
      notAfter: wanted.notAfter ?? new Date(Date.now() + DAY_MS),
      signingKey: keys.privateKey,
      publicKey: leafKeys.publicKey,
      signingAlgorithm: algorithm,
      extensions: [new x509.SubjectAlternativeNameExtension(alternativeNames(wanted))],
    });
    const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", leafKeys.privateKey);
    return { key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"), cert: leaf.toString("pem") };
  };
  return {
    ca: root.toString("pem"),
    server: await issue({ name: names[0] ?? "localhost", names }),
    client: await issue({ name: client.name ?? "client", names: [], uris: client.uris }),
    issue,
  };
}

function loadX509(): X509 {
  const neededFor = "createTestCertificates()";
  const packages = "@peculiar/x509 reflect-metadata";
  requirePeer("reflect-metadata", neededFor, packages);
  const x509 = requirePeer<X509>("@peculiar/x509", neededFor, packages);
  x509.cryptoProvider.set(webcrypto as Crypto);
  return x509;
}

function alternativeNames({ names = LOOPBACK, uris = [] }: IssueOptions) {
  return [
    ...names.map((value) => ({
      type: isIP(value) ? ("ip" as const) : ("dns" as const),
      value,
    })),
    ...uris.map((value) => ({ type: "url" as const, value })),
  ];
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
}

/** A positive serial number, as RFC 5280 asks. */
function randomSerial(): string {
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString("hex")}`;
}

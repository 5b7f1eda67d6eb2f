import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SecureVersion } from "node:tls";
import { checkKeys, checkMs, show } from "./check-options.ts";
import { ConnectumError, type ConnectumErrorCode } from "./errors.ts";

type Pem = string | Buffer;

/** Key and certificate as paths, as one directory, or inline; exactly one of the three. */
export interface TLSOptions {
  /** PEM file with the private key of `certPath`. */
  readonly keyPath?: string;
  /** PEM file with the certificate, then those between it and the authority. */
  readonly certPath?: string;
  /** Certificate authorities that sign client certificates. */
  readonly caPath?: string;
  /** A directory with `server.key`, `server.crt` and, if clients are verified, `ca.crt`. */
  readonly dirPath?: string;
  /** What would be in `keyPath`, as PEM text or bytes. */
  readonly key?: Pem;
  /** What would be in `certPath`. */
  readonly cert?: Pem;
  /** What would be in `caPath`. */
  readonly ca?: Pem;
  /** Whether clients may or must show a certificate that the CA signed. Default `"none"`. */
  readonly clientAuth?: "none" | "request" | "require";
  /** Default `"TLSv1.2"`. */
  readonly minVersion?: SecureVersion;
  /**
   * Whether changed files are swapped in while the server runs, and how often they are looked at.
   * Default: true where paths are given, every 10 000 ms.
   */
  readonly reload?: boolean | { readonly intervalMs: number };
}

export interface TLSCertificates {
  readonly key: Pem;
  readonly cert: Pem;
  readonly ca?: Pem;
}

const TLS_OPTION_NAMES = [
  "keyPath",
  "certPath",
  "caPath",
  "dirPath",
  "key",
  "cert",
  "ca",
  "clientAuth",
  "minVersion",
  "reload",
] as const satisfies ReadonlyArray<keyof TLSOptions>;

/** Throws INVALID_OPTION for combinations that cannot work; reads no file. */
export function checkTLSOptions(options: TLSOptions): void {
  checkKeys("tls", options, TLS_OPTION_NAMES);
  const { keyPath, certPath, caPath, dirPath, key, cert, ca, reload } = options;
  const { clientAuth = "none", minVersion = "TLSv1.2" } = options;
  const hasPaths = keyPath !== undefined || certPath !== undefined;
  const hasInline = key !== undefined || cert !== undefined;
  const sources = [hasPaths, hasInline, dirPath !== undefined].filter(Boolean).length;
  if (sources !== 1) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "tls takes exactly one of keyPath with certPath, dirPath, or key with cert",
    );
  }
  if (hasPaths && (keyPath === undefined || certPath === undefined)) {
    throw new ConnectumError("INVALID_OPTION", "tls.keyPath and tls.certPath belong together");
  }
  if (hasInline && (key === undefined || cert === undefined)) {
    throw new ConnectumError("INVALID_OPTION", "tls.key and tls.cert belong together");
  }
  if (!["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"].includes(minVersion)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `tls.minVersion must be "TLSv1.2" or "TLSv1.3", or an older one, got ${show(minVersion)}`,
    );
  }
  if (reload !== undefined && typeof reload !== "boolean") {
    checkKeys("tls.reload", reload, ["intervalMs"]);
    checkMs("tls.reload.intervalMs", reload.intervalMs, 1);
  }
  if (reload && certificateFiles(options).length === 0) {
    throw new ConnectumError(
      "INVALID_OPTION",
      "tls.reload watches files; give keyPath and certPath, or dirPath, instead of key and cert",
    );
  }
  if (!["none", "request", "require"].includes(clientAuth)) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `tls.clientAuth must be "none", "request" or "require", got ${show(clientAuth)}`,
    );
  }
  if (clientAuth !== "none" && caPath === undefined && dirPath === undefined && ca === undefined) {
    throw new ConnectumError(
      "INVALID_OPTION",
      `tls.clientAuth "${clientAuth}" needs the CA that signs client certificates: caPath, ca, or ca.crt in dirPath`,
    );
  }
}

/** Every file the options name; none for inline keys. */
export function certificateFiles(options: TLSOptions): string[] {
  const { keyPath, certPath, caPath, dirPath, clientAuth = "none" } = options;
  const files = dirPath === undefined ? [] : ["server.key", "server.crt"].map(inDirectory(dirPath));
  if (dirPath !== undefined && caPath === undefined && clientAuth !== "none") {
    files.push(join(dirPath, "ca.crt"));
  }
  for (const path of [keyPath, certPath, caPath]) if (path !== undefined) files.push(path);
  return files;
}

function inDirectory(dirPath: string): (name: string) => string {
  return (name) => join(dirPath, name);
}

/** Milliseconds between two looks at the files, or undefined where there is nothing to watch. */
export function reloadInterval(options: TLSOptions): number | undefined {
  const hasFiles = certificateFiles(options).length > 0;
  const { reload = hasFiles } = options;
  if (reload === false) return undefined;
  return reload === true ? 10_000 : reload.intervalMs;
}

/** What node:tls is given, at the start and at every reload: options left out fall back to defaults. */
export function secureContextOptions(
  { minVersion = "TLSv1.2" }: TLSOptions,
  certificates: TLSCertificates,
) {
  return { ...certificates, minVersion };
}

/**
 * Reads and checks what the options name. Throws TLS_FILE for a file that is missing, unreadable or
 * not PEM, TLS_KEY_MISMATCH when key and certificate do not belong together, TLS_EXPIRED when the
 * certificate is outside its validity.
 */
export function readTLSCertificates(options: TLSOptions): TLSCertificates {
  checkTLSOptions(options);
  const { dirPath, clientAuth = "none" } = options;
  const keySource = source(options.key, options.keyPath, dirPath, "server.key", "tls.key");
  const certSource = source(options.cert, options.certPath, dirPath, "server.crt", "tls.cert");
  const wantsCa = clientAuth !== "none" || options.caPath !== undefined || options.ca !== undefined;
  const caSource = wantsCa
    ? source(options.ca, options.caPath, dirPath, "ca.crt", "tls.ca")
    : undefined;

  const key = parse("TLS_FILE", keySource, "private key", () => createPrivateKey(keySource.pem));
  const cert = parse(
    "TLS_FILE",
    certSource,
    "certificate",
    () => new X509Certificate(certSource.pem),
  );
  if (caSource) {
    parse("TLS_FILE", caSource, "certificate", () => new X509Certificate(caSource.pem));
  }
  if (!cert.checkPrivateKey(key)) {
    throw new ConnectumError(
      "TLS_KEY_MISMATCH",
      `the private key of ${keySource.name} does not belong to the certificate of ${certSource.name}`,
    );
  }
  const now = Date.now();
  if (now > Date.parse(cert.validTo) || now < Date.parse(cert.validFrom)) {
    throw new ConnectumError(
      "TLS_EXPIRED",
      `the certificate of ${certSource.name} is valid from ${cert.validFrom} to ${cert.validTo}, which does not include now`,
    );
  }
  return { key: keySource.pem, cert: certSource.pem, ca: caSource?.pem };
}

interface Source {
  readonly name: string;
  readonly pem: Pem;
}

function source(
  inline: Pem | undefined,
  path: string | undefined,
  dirPath: string | undefined,
  fileName: string,
  optionName: string,
): Source {
  if (inline !== undefined) return { name: optionName, pem: inline };
  const file = path ?? join(dirPath ?? "", fileName);
  try {
    return { name: file, pem: readFileSync(file) };
  } catch (error) {
    throw new ConnectumError("TLS_FILE", `cannot read ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function parse<T>(code: ConnectumErrorCode, { name }: Source, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ConnectumError(
      code,
      `${name} holds no readable PEM ${what}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

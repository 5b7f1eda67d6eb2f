import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { Code, ConnectError } from "@connectrpc/connect";
import { CliError, codeOf } from "../cli-error.ts";
import type { Target } from "./connection.ts";

const PROBE_TIMEOUT_MS = 5_000;

/** Node servers refuse a certificate by closing, without saying why. */
const CLOSED_AFTER_HANDSHAKE = "CLOSED_AFTER_HANDSHAKE";

/** Codes a client makes up itself when the connection fails. */
const CONNECTION_CODES = [
  Code.Unavailable,
  Code.Internal,
  Code.Unknown,
  Code.Aborted,
  Code.Canceled,
];

/**
 * Why a server could not be reached, as an error with a hint; undefined when it was reached and the
 * error is its answer.
 */
export async function explainFailure(
  error: unknown,
  target: Target,
): Promise<CliError | undefined> {
  if (error instanceof CliError) return undefined;
  const causes = [...causesOf(error)];
  const isAnswer = error instanceof ConnectError && !CONNECTION_CODES.includes(error.code);
  if (isAnswer) return undefined;
  for (const cause of causes) {
    const known = explainCode(codeOf(cause) ?? "", cause, target);
    if (known) return known;
  }
  // A status the server sent has no cause; what broke beneath has one.
  if (causes.length < 2 && !/http2|socket|stream/i.test(String(error))) return undefined;
  return explainByProbing(target, error);
}

function* causesOf(error: unknown): Generator<unknown> {
  for (let cause = error; cause !== undefined; cause = (cause as Error | undefined)?.cause) {
    yield cause;
    const { errors } = cause as { errors?: unknown[] };
    if (Array.isArray(errors)) yield* errors;
  }
}

function explainCode(code: string, cause: unknown, target: Target): CliError | undefined {
  const { host, hostname, protocol } = target.url;
  const fail = (text: string, hint: string) =>
    new CliError(`cannot connect to ${host}: ${text}`, { hint, cause });
  switch (code) {
    case "ECONNREFUSED":
      return fail("connection refused", "is the server running, and is the port right?");
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return fail(`no address for "${hostname}"`, "check the host name");
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ETIMEDOUT":
      return fail("no answer", "check the address, and firewalls in between");
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return fail(
        "its certificate is not signed by a trusted authority",
        "give the authority with --ca <file>, or accept any certificate with --insecure",
      );
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return fail(`its certificate is not for "${hostname}"`, "use the name in the certificate");
    case "CERT_HAS_EXPIRED":
      return fail("its certificate has expired", "renew it; --insecure accepts it meanwhile");
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return fail("it does not speak TLS", "write http:// instead of https://");
    case "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED":
    case "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE":
    case "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE":
      return fail("it wants a client certificate", "give one with --cert <file> --key <file>");
    default:
      if (protocol !== "https:" || !/ALERT_(BAD|UNKNOWN|UNSUPPORTED|CERT)|UNKNOWN_CA/.test(code)) {
        return undefined;
      }
      return refusedCertificate(fail);
  }
}

function refusedCertificate(fail: (text: string, hint: string) => CliError): CliError {
  return fail(
    "refused the client certificate",
    "check that --cert is signed by an authority the server trusts",
  );
}

/** Connects once more, lower down, and sees what the other side speaks. */
async function explainByProbing(target: Target, cause: unknown): Promise<CliError | undefined> {
  const { host, protocol } = target.url;
  const fail = (text: string, hint: string) => new CliError(`${host} ${text}`, { hint, cause });
  if (protocol === "https:") {
    const { code, alpn } = await probeTls(target);
    if (code === undefined) {
      if (alpn === "h2") return undefined;
      return fail("speaks no HTTP/2 over TLS", "reflection and gRPC need HTTP/2");
    }
    if (code === CLOSED_AFTER_HANDSHAKE && target.tls?.cert) return refusedCertificate(fail);
    const isPlain = (await answersHttp2(target)) || (await answersHttp1(target));
    return explainCode(isPlain ? "ERR_SSL_WRONG_VERSION_NUMBER" : code, cause, target);
  }
  if (await answersHttp2(target)) return undefined;
  if ((await probeTls(target)).code === undefined) {
    return fail("speaks TLS", "write https:// instead of http://");
  }
  if (await answersHttp1(target)) {
    return fail(
      "speaks HTTP/1.1 and no HTTP/2",
      "reflection and gRPC need HTTP/2 on this port; is it the right one?",
    );
  }
  return fail("closed the connection", "does it serve RPC, and is the port right?");
}

interface TlsProbe {
  readonly code?: string;
  readonly alpn?: string | false | null;
}

function probeTls({ url, tls }: Target): Promise<TlsProbe> {
  return new Promise((resolve) => {
    const socket = connectTls({
      ...tls,
      host: hostOf(url),
      port: portOf(url),
      ALPNProtocols: ["h2", "http/1.1"],
      rejectUnauthorized: tls?.rejectUnauthorized ?? false,
      timeout: PROBE_TIMEOUT_MS,
    });
    const end = (result: TlsProbe) => {
      socket.destroy();
      resolve(result);
    };
    let closeCode = "ECONNRESET";
    socket.once("secureConnect", () => {
      closeCode = CLOSED_AFTER_HANDSHAKE;
      // With TLS 1.3 a client certificate is judged after the handshake.
      setTimeout(end, 300, { alpn: socket.alpnProtocol });
    });
    socket.once("error", (error) => end({ code: codeOf(error) ?? "ERR_UNKNOWN" }));
    socket.once("timeout", () => end({ code: "ETIMEDOUT" }));
    socket.once("close", () => end({ code: closeCode }));
  });
}

/** Whether the other side greets a plaintext HTTP/2 client. */
function answersHttp2({ url }: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${url.host}`);
    const end = (answers: boolean) => {
      session.destroy();
      resolve(answers);
    };
    session.once("remoteSettings", () => end(true));
    session.once("error", () => end(false));
    session.once("close", () => end(false));
    session.setTimeout(PROBE_TIMEOUT_MS, () => end(false));
  });
}

function answersHttp1({ url }: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: hostOf(url), port: portOf(url), timeout: PROBE_TIMEOUT_MS });
    const end = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.once("connect", () => socket.write(`GET / HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`));
    socket.once("data", (data) => end(data.toString("latin1").startsWith("HTTP/1.")));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
    socket.once("close", () => end(false));
  });
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

function portOf(url: URL): number {
  return Number(url.port || (url.protocol === "https:" ? 443 : 80));
}

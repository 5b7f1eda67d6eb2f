import { readFileSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Interceptor, Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { codeOf, usageError } from "../cli-error.ts";
import { allValues } from "../command-line.ts";
import { connectionArgs } from "./connection-args.ts";

export interface TLSClientOptions {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly rejectUnauthorized: boolean;
}

export interface Target {
  readonly url: URL;
  /** Set when the target is `https:`. */
  readonly tls: TLSClientOptions | undefined;
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly protocol: string;
}

export interface ConnectionFlags {
  readonly protocol: string;
  readonly tls?: boolean | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly insecure?: boolean | undefined;
}

/** What the arguments ask for, checked; nothing is opened. */
export function parseTarget(text: string, flags: ConnectionFlags, rawArgs: string[]): Target {
  const wantsTls = Boolean(flags.tls ?? flags.ca ?? flags.cert ?? flags.key ?? flags.insecure);
  const url = parseUrl(text, wantsTls);
  if (url.protocol === "http:" && wantsTls) {
    const option = (["tls", "ca", "cert", "key", "insecure"] as const).find((name) => flags[name]);
    throw usageError(`--${option} needs TLS, and ${text} is plaintext`, "write https:// instead");
  }
  if ((flags.cert === undefined) !== (flags.key === undefined)) {
    throw usageError("--cert and --key belong together: give both or neither");
  }
  const tls = {
    ...(flags.ca === undefined ? {} : { ca: readPem("--ca", flags.ca) }),
    ...(flags.cert === undefined ? {} : { cert: readPem("--cert", flags.cert) }),
    ...(flags.key === undefined ? {} : { key: readPem("--key", flags.key) }),
    rejectUnauthorized: !flags.insecure,
  };
  return {
    url,
    tls: url.protocol === "https:" ? tls : undefined,
    headers: allValues(connectionArgs, rawArgs, "header").map(parseHeader),
    protocol: flags.protocol,
  };
}

/** Transports to one server, whose connections `close` ends, so that the process can. */
export class Connection {
  readonly target: Target;
  readonly #sessions: Http2SessionManager;

  constructor(target: Target) {
    this.target = target;
    this.#sessions = new Http2SessionManager(target.url.href, {}, { ...target.tls });
  }

  /** Over HTTP/2 unless told otherwise. */
  transport(httpVersion: "1.1" | "2" = "2"): Transport {
    const { url, tls, protocol, headers } = this.target;
    const common = { baseUrl: url.href, interceptors: [addHeaders(headers)] };
    const h1 = {
      ...common,
      httpVersion: "1.1" as const,
      nodeOptions: { agent: tls ? new HttpsAgent({ ...tls }) : new HttpAgent() },
    };
    const h2 = { ...common, httpVersion: "2" as const, sessionManager: this.#sessions };
    if (protocol === "grpc") return createGrpcTransport(h2);
    if (protocol === "grpc-web") return createGrpcWebTransport(httpVersion === "2" ? h2 : h1);
    return createConnectTransport(httpVersion === "2" ? h2 : h1);
  }

  close(): void {
    this.#sessions.abort();
  }
}

/** Opens a connection for as long as `use` runs. */
export async function withConnection<T>(
  target: Target,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = new Connection(target);
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

function parseUrl(text: string, wantsTls: boolean): URL {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
    ? text
    : `${wantsTls ? "https" : "http"}://${text}`;
  let url: URL;
  try {
    url = new URL(withScheme);
  } catch (cause) {
    const error = usageError(`"${text}" is no URL`, "write it like http://localhost:5000");
    error.cause = cause;
    throw error;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw usageError(
      `"${text}" has scheme "${url.protocol.slice(0, -1)}", which no RPC protocol uses`,
      "write http:// or https://",
    );
  }
  return url;
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(":");
  const name = text.slice(0, Math.max(colon, 0)).trim();
  const value = text.slice(colon + 1).trim();
  try {
    new Headers([[name, value]]);
  } catch {
    throw usageError(`-H "${text}" is no header`, 'write it like -H "authorization: Bearer abc"');
  }
  return [name, value];
}

function readPem(option: string, path: string): Buffer {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    throw usageError(`${option}: cannot read ${path} (${codeOf(error)})`);
  }
  if (!content.includes("-----BEGIN ")) {
    throw usageError(`${option}: ${path} is no PEM file`, "it must start with -----BEGIN …");
  }
  return content;
}

function addHeaders(headers: Target["headers"]): Interceptor {
  return (next) => (request) => {
    for (const [name, value] of headers) request.header.append(name, value);
    return next(request);
  };
}

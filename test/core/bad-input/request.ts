import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { request as httpsRequest } from "node:https";
import type { Site } from "./sites.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Request {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | string;
  /** Leaves the body open after what is given. */
  readonly isOpen?: boolean;
}

export type HttpVersion = "HTTP/1.1" | "HTTP/2";

export const httpVersions: readonly HttpVersion[] = ["HTTP/1.1", "HTTP/2"];

/** Sends a request as it is given, with no protocol library in between. */
export function send(site: Site, version: HttpVersion, request: Request): Promise<Answer> {
  return version === "HTTP/2" ? overHttp2(site, request) : overHttp1(site, request);
}

async function overHttp1(site: Site, { method = "POST", path, headers, body, isOpen }: Request) {
  const open = site.isTls ? httpsRequest : httpRequest;
  const request = open(site.baseUrl + path, {
    method,
    headers,
    agent: false,
    rejectUnauthorized: false,
  });
  request.on("error", () => {});
  if (isOpen) {
    request.flushHeaders();
    if (body) request.write(body);
  } else {
    request.end(body);
  }
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const chunks = await response.toArray();
  request.destroy();
  return {
    status: response.statusCode as number,
    headers: response.headers,
    trailers: response.trailers,
    body: Buffer.concat(chunks),
  };
}

async function overHttp2(site: Site, { method = "POST", path, headers, body, isOpen }: Request) {
  const session = connectHttp2(site.baseUrl, { rejectUnauthorized: false });
  session.on("error", () => {});
  try {
    const stream = session.request({ ":method": method, ":path": path, ...headers });
    stream.on("error", () => {});
    let trailers: IncomingHttpHeaders = {};
    stream.once("trailers", (fields) => {
      trailers = fields;
    });
    if (isOpen) {
      if (body) stream.write(body);
    } else {
      stream.end(body);
    }
    const [fields] = (await once(stream, "response")) as [IncomingHttpHeaders];
    const body2 = await stream.toArray();
    return {
      status: Number(fields[":status"]),
      headers: fields,
      trailers,
      body: Buffer.concat(body2),
    };
  } finally {
    session.destroy();
  }
}

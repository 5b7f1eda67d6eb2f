import { createHmac, timingSafeEqual } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import type { NodeRequest, NodeResponse, ProtocolRegistration } from "connectum/core";

export interface WebhookOptions {
  /** Where events arrive, such as `/webhooks/payments`. */
  readonly path: string;
  /** Shared with the sender, who signs each body with it. */
  readonly secret: string;
  /** Bytes of a body. Default 64 KiB. */
  readonly maxBytes?: number;
  /** Gets what was sent, signature checked, shape not. */
  receive(event: unknown): Promise<void>;
}

/**
 * Signed JSON events of somebody who does not speak RPC. `x-signature` is the hexadecimal HMAC-SHA-256 of
 * the body. Answers 204 when `receive` is done, and 503 when the sender should try again.
 */
export function Webhook({
  path,
  secret,
  maxBytes = 65_536,
  receive,
}: WebhookOptions): ProtocolRegistration {
  return {
    name: `webhook ${path}`,
    // No services of its own.
    register() {},
    async httpHandler(request, response) {
      const [pathname] = (request.url ?? "").split("?");
      if (pathname !== path) return false;
      if (request.method !== "POST") return answer(response, 405, { allow: "POST" });
      const body = await readBody(request, maxBytes);
      if (body === undefined) return answer(response, 413);
      if (!isSigned(body, secret, request.headers["x-signature"])) return answer(response, 401);
      const event = parse(body);
      if (event === undefined) return answer(response, 400);
      return answer(response, await deliver(receive, event));
    },
  };
}

/** Undefined when it is larger than allowed; the rest is not read. */
async function readBody(request: NodeRequest, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // A loop that is left would destroy the request, and the answer with it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Hashed before it is read: an unsigned body is nobody's JSON. */
function isSigned(body: Buffer, secret: string, signature: string | string[] | undefined): boolean {
  const expected = createHmac("sha256", secret).update(body).digest();
  const given = Buffer.from(String(signature), "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** Senders repeat what failed with 5xx and give up on 4xx; the code says which it is. */
async function deliver(receive: WebhookOptions["receive"], event: unknown): Promise<number> {
  try {
    await receive(event);
    return 204;
  } catch (error) {
    switch (ConnectError.from(error).code) {
      case Code.InvalidArgument:
      case Code.NotFound:
        return 422;
      case Code.Unavailable:
      case Code.DeadlineExceeded:
      case Code.ResourceExhausted:
        return 503;
      default:
        // Not ours to explain to a stranger: the server answers 500 and emits `error`.
        throw error;
    }
  }
}

function answer(
  response: NodeResponse,
  status: number,
  headers: Record<string, string> = {},
): true {
  response.writeHead(status, headers).end();
  return true;
}

import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { LoadService } from "../gen/connectum/load/v1/load_pb.js";

export interface Outcome {
  /** What a unary call answered. */
  readonly text?: string;
  readonly header?: string | null;
  readonly trailer?: string | null;
  /** Messages of a server stream. */
  readonly messages?: number;
  /** Code of an error, as the page sees it. */
  readonly error?: string;
}

/** Runs in the page of a browser: one unary call and one server stream, over one protocol. */
async function callAll(
  protocol: "connect" | "grpc-web",
  baseUrl: string,
  useHttpGet: boolean,
  credentials: RequestCredentials,
): Promise<Outcome> {
  const send: typeof fetch = (input, init) => fetch(input, { ...init, credentials });
  const transport: Transport =
    protocol === "connect"
      ? createConnectTransport({ baseUrl, useHttpGet, fetch: send })
      : createGrpcWebTransport({ baseUrl, fetch: send });
  const client = createClient(LoadService, transport);
  let header: string | null = null;
  let trailer: string | null = null;
  try {
    const { text } = await client.echo(
      { text: "Ada" },
      {
        timeoutMs: 10_000,
        headers: { "x-note": "noted" },
        onHeader: (fields) => {
          header = fields.get("x-note");
        },
        onTrailer: (fields) => {
          trailer = fields.get("x-note-trailer");
        },
      },
    );
    let messages = 0;
    for await (const { payload } of client.download({ count: 5, size: 100 })) {
      if (payload.byteLength === 100) messages++;
    }
    return { text, header, trailer, messages };
  } catch (error) {
    const { code } = ConnectError.from(error);
    return { error: Code[code] };
  }
}

Object.assign(globalThis, { callAll });

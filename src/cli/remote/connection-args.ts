import type { ArgsDef } from "citty";

/** Arguments of every command that talks to a server. */
export const connectionArgs = {
  protocol: {
    type: "enum",
    options: ["grpc", "grpc-web", "connect"],
    default: "grpc",
    description: "Protocol to speak",
  },
  header: {
    type: "string",
    alias: "H",
    valueHint: "name: value",
    description: "Header of every request; may be given more than once",
  },
  tls: { type: "boolean", description: "Use TLS when the URL names no scheme" },
  ca: { type: "string", valueHint: "file", description: "PEM file of the authorities to trust" },
  cert: { type: "string", valueHint: "file", description: "PEM file with a client certificate" },
  key: { type: "string", valueHint: "file", description: "PEM file with its private key" },
  insecure: { type: "boolean", description: "Accept any server certificate" },
} as const satisfies ArgsDef;

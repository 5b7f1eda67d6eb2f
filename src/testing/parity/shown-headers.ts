/** Fields that belong to a protocol, an HTTP version or a trace, not to the service. */
const PROTOCOL_FIELDS = new Set([
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "date",
  "keep-alive",
  "trailer",
  "transfer-encoding",
  "vary",
  "x-request-id",
]);

export function shownHeaders(headers: Headers): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of headers) {
    const isProtocol =
      PROTOCOL_FIELDS.has(name) ||
      name.startsWith(":") ||
      name.startsWith("grpc-") ||
      name.startsWith("connect-");
    if (!isProtocol) fields[name] = value;
  }
  return fields;
}

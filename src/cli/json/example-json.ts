import { type DescField, type DescMessage, type JsonValue, ScalarType } from "@bufbuild/protobuf";

const MAX_DEPTH = 4;

/** JSON forms of the well-known types that have one of their own. */
const WELL_KNOWN: Readonly<Record<string, JsonValue>> = {
  "google.protobuf.Any": { "@type": "type.googleapis.com/package.Message" },
  "google.protobuf.Duration": "1.5s",
  "google.protobuf.Empty": {},
  "google.protobuf.FieldMask": "name,address.city",
  "google.protobuf.ListValue": [],
  "google.protobuf.Struct": {},
  "google.protobuf.Timestamp": "2026-01-31T12:00:00Z",
  "google.protobuf.Value": null,
  "google.protobuf.BoolValue": false,
  "google.protobuf.BytesValue": "",
  "google.protobuf.DoubleValue": 0,
  "google.protobuf.FloatValue": 0,
  "google.protobuf.Int32Value": 0,
  "google.protobuf.Int64Value": "0",
  "google.protobuf.StringValue": "",
  "google.protobuf.UInt32Value": 0,
  "google.protobuf.UInt64Value": "0",
};

/** A request to fill in: every field, the first one of each oneof, lists with one element. */
export function exampleJson(message: DescMessage, depth = 0): JsonValue {
  const known = WELL_KNOWN[message.typeName];
  if (known !== undefined) return known;
  if (depth > MAX_DEPTH) return {};
  const entries = message.members.flatMap((member): [string, JsonValue][] => {
    const field = member.kind === "oneof" ? member.fields[0] : member;
    return field ? [[field.jsonName, fieldExample(field, depth)]] : [];
  });
  return Object.fromEntries(entries);
}

function fieldExample(field: DescField, depth: number): JsonValue {
  if (field.fieldKind === "map") {
    const key = field.mapKey === ScalarType.STRING ? "key" : "0";
    const name = field.mapKey === ScalarType.BOOL ? "true" : key;
    return { [name]: valueExample(field, depth) };
  }
  const value = valueExample(field, depth);
  return field.fieldKind === "list" ? [value] : value;
}

function valueExample(field: DescField, depth: number): JsonValue {
  if (field.message) return exampleJson(field.message, depth + 1);
  if (field.enum) return field.enum.values[0]?.name ?? 0;
  switch (field.scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return "";
    case ScalarType.BOOL:
      return false;
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return "0";
    default:
      return 0;
  }
}

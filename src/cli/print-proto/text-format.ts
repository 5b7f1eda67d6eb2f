import {
  type DescEnum,
  type DescField,
  type DescMessage,
  getExtension,
  type Message,
  type Registry,
  ScalarType,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { FieldDescriptorProto_Type } from "@bufbuild/protobuf/wkt";

/** Something set in a message: a field, or an extension under its name in brackets. */
export interface SetValue {
  readonly field: DescField | ExtensionField;
  readonly isExtension: boolean;
  readonly value: unknown;
}

type ExtensionField = NonNullable<ReturnType<Registry["getExtensionFor"]>>;
type AnyField = DescField | ExtensionField;

/** What is set in a message, each element of a list by itself; extensions the registry knows too. */
export function* setValues(
  schema: DescMessage,
  message: Message,
  registry: Registry,
): Generator<SetValue> {
  const reflected = reflect(schema, message, false);
  for (const field of reflected.sortedFields) {
    if (!reflected.isSet(field)) continue;
    yield* elements(field, reflected.get(field), false);
  }
  for (const number of new Set((message.$unknown ?? []).map(({ no }) => no))) {
    const extension = registry.getExtensionFor(schema, number);
    if (extension) yield* elements(extension, getExtension(message, extension), true);
  }
}

function* elements(field: AnyField, value: unknown, isExtension: boolean): Generator<SetValue> {
  if (field.fieldKind === "list") {
    for (const item of value as Iterable<unknown>) yield { field, isExtension, value: item };
  } else if (field.fieldKind === "map") {
    for (const entry of value as Iterable<unknown>) yield { field, isExtension, value: entry };
  } else {
    yield { field, isExtension, value };
  }
}

/** One value in protobuf's text format, as options are written. */
export function valueText(field: AnyField, value: unknown, registry: Registry): string {
  if (field.fieldKind === "map") return mapEntryText(field, value as [unknown, unknown], registry);
  if (field.message) return messageText(field.message, value, registry);
  if (field.enum) return enumText(field.enum, value as number);
  return scalarText(field.scalar as ScalarType, value);
}

function messageText(schema: DescMessage, value: unknown, registry: Registry): string {
  const message = isReflected(value) ? value.message : (value as Message);
  const parts = [...setValues(schema, message, registry)].map(
    ({ field, isExtension, value: inner }) => {
      const name = isExtension ? `[${(field as ExtensionField).typeName}]` : textName(field);
      const text = valueText(field, inner, registry);
      return text.startsWith("{") ? `${name} ${text}` : `${name}: ${text}`;
    },
  );
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}

function isReflected(value: unknown): value is ReflectMessage {
  return typeof value === "object" && value !== null && "sortedFields" in value;
}

/** Groups go by the name of their type. */
function textName(field: AnyField): string {
  const isGroup = field.proto.type === FieldDescriptorProto_Type.GROUP;
  return isGroup && field.message ? field.message.name : field.name;
}

function mapEntryText(
  field: AnyField,
  [key, value]: [unknown, unknown],
  registry: Registry,
): string {
  if (field.fieldKind !== "map") throw new Error(`${field.name} is no map`);
  const keyText = scalarText(field.mapKey, field.mapKey === ScalarType.STRING ? String(key) : key);
  const valueAsText = field.message
    ? ` ${messageText(field.message, value, registry)}`
    : `: ${field.enum ? enumText(field.enum, value as number) : scalarText(field.scalar as ScalarType, value)}`;
  return `{ key: ${keyText}, value${valueAsText} }`;
}

function enumText(schema: DescEnum, value: number): string {
  return schema.value[value]?.name ?? String(value);
}

function scalarText(type: ScalarType, value: unknown): string {
  if (type === ScalarType.STRING) return quote(new TextEncoder().encode(String(value)), true);
  if (type === ScalarType.BYTES) return quote(value as Uint8Array, false);
  if (value === Number.POSITIVE_INFINITY) return "inf";
  if (value === Number.NEGATIVE_INFINITY) return "-inf";
  if (Number.isNaN(value)) return "nan";
  return String(value);
}

/** A string literal. Bytes that are no readable ASCII are escaped; of text only control characters. */
export function quote(bytes: Uint8Array, isText: boolean): string {
  if (isText) {
    const text = new TextDecoder().decode(bytes);
    return `"${[...text].map((char) => (char < " " || '"\\\u007f'.includes(char) ? escapeByte(char.charCodeAt(0)) : char)).join("")}"`;
  }
  return `"${[...bytes].map((byte) => (byte < 32 || byte > 126 || byte === 34 || byte === 92 ? escapeByte(byte) : String.fromCharCode(byte))).join("")}"`;
}

const ESCAPES = new Map([
  [10, "\\n"],
  [13, "\\r"],
  [9, "\\t"],
  [34, '\\"'],
  [92, "\\\\"],
]);

function escapeByte(byte: number): string {
  return ESCAPES.get(byte) ?? `\\${byte.toString(8).padStart(3, "0")}`;
}

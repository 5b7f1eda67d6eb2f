import type {
  DescEnum,
  DescExtension,
  DescField,
  DescMessage,
  DescMethod,
  DescOneof,
  DescService,
} from "@bufbuild/protobuf";
import {
  EnumOptionsSchema,
  EnumValueOptionsSchema,
  ExtensionRangeOptionsSchema,
  FieldDescriptorProto_Label,
  FieldOptionsSchema,
  FieldDescriptorProto_Type as FieldType,
  MessageOptionsSchema,
  MethodOptionsSchema,
  OneofOptionsSchema,
  ServiceOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { defaultJsonName } from "../json/json-name.ts";
import { bracketed, optionTexts, type PrintContext } from "./print-options.ts";

/** Largest number plus one, which `max` stands for. */
const MAX_FIELD_NUMBER = 536_870_912;
const MAX_ENUM_NUMBER = 2_147_483_647;

const INDENT = "  ";

export function printMessage(message: DescMessage, context: PrintContext, indent = ""): string {
  return `${indent}message ${message.name} ${messageBody(message, context, indent)}`;
}

function messageBody(message: DescMessage, context: PrintContext, indent: string): string {
  const inner = indent + INDENT;
  const { proto, typeName } = message;
  const lines = optionTexts(MessageOptionsSchema, proto.options, typeName, context).map(
    (text) => `${inner}option ${text};`,
  );
  for (const member of message.members) {
    lines.push(
      member.kind === "oneof"
        ? printOneof(member, context, inner)
        : printField(member, typeName, context, inner),
    );
  }
  for (const { start, end, options } of proto.extensionRange) {
    const texts = optionTexts(ExtensionRangeOptionsSchema, options, typeName, context);
    const range = rangeText(start, end - 1, MAX_FIELD_NUMBER - 1);
    lines.push(`${inner}extensions ${range}${bracketed(texts, inner)};`);
  }
  lines.push(
    ...reservedLines(
      proto.reservedRange.map(({ start, end }) => rangeText(start, end - 1, MAX_FIELD_NUMBER - 1)),
      proto.reservedName,
      message.file.proto.edition > 999,
      inner,
    ),
  );
  const groups = groupsOf([...message.fields, ...message.nestedExtensions]);
  for (const nested of message.nestedMessages) {
    if (!groups.has(nested)) lines.push(printMessage(nested, context, inner));
  }
  for (const nested of message.nestedEnums) lines.push(printEnum(nested, context, inner));
  lines.push(...printExtensions(message.nestedExtensions, typeName, context, inner));
  return block(lines, indent);
}

function printOneof(oneof: DescOneof, context: PrintContext, indent: string): string {
  const { typeName } = oneof.parent;
  const inner = indent + INDENT;
  const lines = optionTexts(OneofOptionsSchema, oneof.proto.options, typeName, context).map(
    (text) => `${inner}option ${text};`,
  );
  for (const field of oneof.fields) lines.push(printField(field, typeName, context, inner));
  return `${indent}oneof ${oneof.name} ${block(lines, indent)}`;
}

function printField(
  field: DescField | DescExtension,
  scope: string,
  context: PrintContext,
  indent: string,
): string {
  const texts = optionTexts(FieldOptionsSchema, field.proto.options, scope, context);
  const { defaultValue, jsonName } = field.proto;
  if (field.proto.defaultValue !== undefined && defaultValue !== "") {
    texts.unshift(`default = ${defaultText(field)}`);
  }
  if (field.kind === "field" && jsonName && jsonName !== defaultJsonName(field.name)) {
    texts.push(`json_name = ${JSON.stringify(jsonName)}`);
  }
  const brackets = bracketed(texts, indent);
  if (isGroup(field) && field.message) {
    const head = `${indent}${labelOf(field)}group ${field.message.name} = ${field.number}`;
    return `${head}${brackets} ${messageBody(field.message, context, indent)}`;
  }
  const type = typeText(field, scope, context);
  return `${indent}${labelOf(field)}${type} ${field.name} = ${field.number}${brackets};`;
}

/** Extensions of one message that follow each other share a block. */
export function printExtensions(
  extensions: readonly DescExtension[],
  scope: string,
  context: PrintContext,
  indent: string,
): string[] {
  const blocks: { extendee: string; lines: string[] }[] = [];
  for (const extension of extensions) {
    const extendee = context.names.shorten(extension.extendee.typeName, scope);
    let last = blocks.at(-1);
    if (last?.extendee !== extendee) {
      last = { extendee, lines: [] };
      blocks.push(last);
    }
    last.lines.push(printField(extension, scope, context, indent + INDENT));
  }
  return blocks.map(({ extendee, lines }) => `${indent}extend ${extendee} ${block(lines, indent)}`);
}

export function printEnum(desc: DescEnum, context: PrintContext, indent = ""): string {
  const inner = indent + INDENT;
  const { proto, typeName } = desc;
  const lines = optionTexts(EnumOptionsSchema, proto.options, typeName, context).map(
    (text) => `${inner}option ${text};`,
  );
  for (const value of desc.values) {
    const texts = optionTexts(EnumValueOptionsSchema, value.proto.options, typeName, context);
    lines.push(`${inner}${value.name} = ${value.number}${bracketed(texts, inner)};`);
  }
  lines.push(
    ...reservedLines(
      proto.reservedRange.map(({ start, end }) => rangeText(start, end, MAX_ENUM_NUMBER)),
      proto.reservedName,
      desc.file.proto.edition > 999,
      inner,
    ),
  );
  return `${indent}enum ${desc.name} ${block(lines, indent)}`;
}

export function printService(service: DescService, context: PrintContext): string {
  const { proto, typeName } = service;
  const lines = optionTexts(ServiceOptionsSchema, proto.options, typeName, context).map(
    (text) => `${INDENT}option ${text};`,
  );
  for (const method of service.methods) lines.push(printMethod(method, context, INDENT));
  return `service ${service.name} ${block(lines, "")}`;
}

export function printMethod(method: DescMethod, context: PrintContext, indent = ""): string {
  const { proto, parent, input, output } = method;
  const scope = parent.typeName;
  const request = `${proto.clientStreaming ? "stream " : ""}${context.names.shorten(input.typeName, scope)}`;
  const response = `${proto.serverStreaming ? "stream " : ""}${context.names.shorten(output.typeName, scope)}`;
  const head = `${indent}rpc ${method.name}(${request}) returns (${response})`;
  const options = optionTexts(MethodOptionsSchema, proto.options, scope, context);
  if (options.length === 0) return `${head};`;
  const lines = options.map((text) => `${indent}${INDENT}option ${text};`);
  return `${head} ${block(lines, indent)}`;
}

function block(lines: readonly string[], indent: string): string {
  return lines.length === 0 ? "{}" : `{\n${lines.join("\n")}\n${indent}}`;
}

/** Messages that are declared by a field of theirs. */
export function groupsOf(fields: readonly (DescField | DescExtension)[]): Set<DescMessage> {
  return new Set(fields.filter(isGroup).flatMap(({ message }) => message ?? []));
}

function isGroup(field: DescField | DescExtension): boolean {
  return field.proto.type === FieldType.GROUP;
}

function labelOf(field: DescField | DescExtension): string {
  const { label, proto3Optional, oneofIndex } = field.proto;
  if (field.fieldKind === "map") return "";
  if (label === FieldDescriptorProto_Label.REPEATED) return "repeated ";
  if (proto3Optional) return "optional ";
  const file = field.kind === "extension" ? field.file : field.parent.file;
  const isProto2 = file.proto.syntax === "" || file.proto.syntax === "proto2";
  // protobuf-es and protoc both keep presence of proto3 apart from the label.
  if (!isProto2) return "";
  if (label === FieldDescriptorProto_Label.REQUIRED) return "required ";
  const isInOneof = field.kind === "field" && field.oneof !== undefined && oneofIndex !== undefined;
  return isInOneof ? "" : "optional ";
}

function typeText(
  field: DescField | DescExtension,
  scope: string,
  { names }: PrintContext,
): string {
  if (field.fieldKind === "map") {
    const key = scalarName(field.mapKey as unknown as FieldType);
    const value = (field.message ?? field.enum)?.typeName;
    const valueName = value
      ? names.shorten(value, scope)
      : scalarName(field.scalar as unknown as FieldType);
    return `map<${key}, ${valueName}>`;
  }
  const named = field.message ?? field.enum;
  return named ? names.shorten(named.typeName, scope) : scalarName(field.proto.type);
}

function scalarName(type: FieldType): string {
  return (FieldType[type] ?? "").toLowerCase();
}

function defaultText({ proto, scalar, enum: desc }: DescField | DescExtension): string {
  const text = proto.defaultValue;
  if (desc || scalar === undefined) return text;
  // Defaults of bytes are kept escaped.
  if (proto.type === FieldType.BYTES) return `"${text}"`;
  return proto.type === FieldType.STRING ? JSON.stringify(text) : text;
}

function rangeText(first: number, last: number, max: number): string {
  if (first === last) return String(first);
  return `${first} to ${last === max ? "max" : last}`;
}

function reservedLines(
  ranges: readonly string[],
  names: readonly string[],
  isEdition: boolean,
  indent: string,
): string[] {
  const written = names.map((name) => (isEdition ? name : JSON.stringify(name)));
  return [ranges, written]
    .filter((items) => items.length > 0)
    .map((items) => `${indent}reserved ${items.join(", ")};`);
}

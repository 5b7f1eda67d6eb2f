import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { DescEnum, DescExtension, DescField, DescMessage } from "@bufbuild/protobuf";
import { FieldDescriptorProto_Type as Type } from "@bufbuild/protobuf/wkt";
import { file_buf_validate_validate as file } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

// buf needs the file to compile protos that use its options. Only its shape counts for them, so the
// options that it sets itself are left out.
const target = "test/interceptors/proto/buf/validate/validate.proto";

mkdirSync(dirname(target), { recursive: true });
writeFileSync(
  target,
  [
    'syntax = "proto2";',
    `package ${file.proto.package};`,
    ...file.proto.dependency.map((path) => `import "${path}";`),
    ...file.messages.map(messageText),
    ...file.enums.map(enumText),
    ...file.extensions.map(extensionText),
    "",
  ].join("\n"),
);

function messageText(message: DescMessage): string {
  const { extensionRange, reservedRange, reservedName } = message.proto;
  const lines = [
    ...message.nestedMessages.map(messageText),
    ...message.nestedEnums.map(enumText),
    ...message.fields.filter((field) => !field.oneof).map((field) => fieldText(field)),
    ...message.oneofs.map(
      ({ name, fields }) =>
        `oneof ${name} {\n${fields.map((field) => fieldText(field, false)).join("\n")}\n}`,
    ),
    ...extensionRange.map(({ start, end }) => `extensions ${start} to ${rangeEnd(end)};`),
    ...reservedRange.map(({ start, end }) => `reserved ${start} to ${rangeEnd(end)};`),
    ...reservedName.map((name) => `reserved "${name}";`),
    ...message.nestedExtensions.map(extensionText),
  ];
  return `message ${message.name} {\n${lines.join("\n")}\n}`;
}

function enumText({ name, values, proto }: DescEnum): string {
  const lines = values.map((value) => `${value.name} = ${value.number};`);
  const alias = proto.options?.allowAlias ? "option allow_alias = true;\n" : "";
  return `enum ${name} {\n${alias}${lines.join("\n")}\n}`;
}

function extensionText(extension: DescExtension): string {
  return `extend .${extension.extendee.typeName} {\n${fieldText(extension)}\n}`;
}

function fieldText(field: DescField | DescExtension, hasLabel = true): string {
  if (field.fieldKind === "map") {
    const { mapKey, mapKind } = field;
    const value = mapKind === "scalar" ? typeName(field.scalar as number) : messageName(field);
    return `map<${typeName(mapKey as number)}, ${value}> ${field.name} = ${field.number};`;
  }
  const label = hasLabel ? `${field.fieldKind === "list" ? "repeated" : "optional"} ` : "";
  const { type, name, number } = field.proto;
  const isNamed = type === Type.MESSAGE || type === Type.ENUM;
  return `${label}${isNamed ? messageName(field) : typeName(type)} ${name} = ${number};`;
}

function messageName({ proto, message }: DescField | DescExtension): string {
  return proto.typeName || `.${message?.typeName}`;
}

function typeName(type: Type): string {
  return (Type[type] as string).toLowerCase();
}

function rangeEnd(end: number): string {
  return end > 0x1f_ff_ff_ff ? "max" : String(end - 1);
}

import type { DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { setValues, valueText } from "./text-format.ts";
import type { TypeNames } from "./type-names.ts";

/** What the printers of all kinds of declarations share. */
export interface PrintContext {
  readonly registry: Registry;
  readonly names: TypeNames;
}

/** Options as `name = value`, in order of their numbers, those of custom options last. */
export function optionTexts(
  schema: DescMessage,
  options: Message | undefined,
  scope: string,
  { registry, names }: PrintContext,
): string[] {
  if (!options) return [];
  const texts: string[] = [];
  for (const { field, isExtension, value } of setValues(schema, options, registry)) {
    const isNamed = isExtension && "typeName" in field;
    const name = isNamed ? `(${names.shorten(field.typeName, scope)})` : field.name;
    texts.push(`${name} = ${valueText(field, value, registry)}`);
  }
  return texts;
}

/** Options in the brackets behind a field or value; nothing when there are none. */
export function bracketed(texts: readonly string[], indent: string): string {
  if (texts.length === 0) return "";
  const inOneLine = ` [${texts.join(", ")}]`;
  if (inOneLine.length < 60) return inOneLine;
  return ` [\n${texts.map((text) => `${indent}  ${text}`).join(",\n")}\n${indent}]`;
}

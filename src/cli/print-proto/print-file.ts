import { type AnyDesc, createRegistry, type DescFile, type Registry } from "@bufbuild/protobuf";
import { Edition, FileOptionsSchema } from "@bufbuild/protobuf/wkt";
import {
  groupsOf,
  printEnum,
  printExtensions,
  printMessage,
  printMethod,
  printService,
} from "./print-declarations.ts";
import { optionTexts, type PrintContext } from "./print-options.ts";
import { TypeNames } from "./type-names.ts";

/**
 * The source of a .proto file. It compiles to the descriptor it was made of; comments are not in a
 * descriptor.
 */
export function printFile(file: DescFile): string {
  const files = withImports(file);
  const context = contextOf(createRegistry(...files), files);
  const { proto } = file;
  const parts: string[] = [`${syntaxLine(file)}`];
  if (proto.package !== "") parts.push(`package ${proto.package};`);
  const imports = proto.dependency.map((name, index) => {
    const isPublic = proto.publicDependency.includes(index);
    const isWeak = proto.weakDependency.includes(index);
    return `import ${isPublic ? "public " : isWeak ? "weak " : ""}"${name}";`;
  });
  if (imports.length > 0) parts.push(imports.join("\n"));
  const options = optionTexts(FileOptionsSchema, proto.options, proto.package, context);
  if (options.length > 0) parts.push(options.map((text) => `option ${text};`).join("\n"));
  for (const service of file.services) parts.push(printService(service, context));
  const groups = groupsOf(file.extensions);
  for (const message of file.messages) {
    if (!groups.has(message)) parts.push(printMessage(message, context));
  }
  for (const desc of file.enums) parts.push(printEnum(desc, context));
  parts.push(...printExtensions(file.extensions, proto.package, context, ""));
  return `${parts.join("\n\n")}\n`;
}

/** The declaration of one symbol as it stands in its file. */
export function printSymbol(desc: AnyDesc, registry: Registry, files: Iterable<DescFile>): string {
  const context = contextOf(registry, [...files]);
  switch (desc.kind) {
    case "message":
      return printMessage(desc, context);
    case "enum":
      return printEnum(desc, context);
    case "service":
      return printService(desc, context);
    case "rpc":
      return printMethod(desc, context);
    case "extension":
      return printExtensions(
        [desc],
        desc.parent?.typeName ?? desc.file.proto.package,
        context,
        "",
      ).join("\n");
    default:
      throw new Error(`a ${desc.kind} is no symbol of its own`);
  }
}

function contextOf(registry: Registry, files: readonly DescFile[]): PrintContext {
  return { registry, names: new TypeNames(registry, files) };
}

function withImports(file: DescFile): DescFile[] {
  const all = new Set<DescFile>();
  const visit = (next: DescFile) => {
    if (all.has(next)) return;
    all.add(next);
    for (const dependency of next.dependencies) visit(dependency);
  };
  visit(file);
  return [...all];
}

function syntaxLine({ proto }: DescFile): string {
  if (proto.syntax === "editions") {
    const name = Edition[proto.edition] ?? "";
    return `edition = "${name.replace("EDITION_", "")}";`;
  }
  return `syntax = "${proto.syntax || "proto2"}";`;
}

import { type DescFile, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  type ServiceDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { collectFileProtos } from "./collect-file-protos.ts";

/** A file of the schema, serialized when it is first sent. */
export interface SchemaFile {
  readonly proto: FileDescriptorProto;
  readonly bytes: Uint8Array;
}

/** Everything the files declare, by name. Where two files declare one name, the first one counts. */
export class Schema {
  readonly #files = new Map<string, SchemaFile>();
  readonly #symbols = new Map<string, SchemaFile>();
  /** Extended message -> field number -> file. Every message has an entry, extended or not. */
  readonly #extensions = new Map<string, Map<number, SchemaFile>>();
  readonly #hidden: ReadonlySet<string>;

  /** `hidden` names services that are treated as if their files did not declare them. */
  constructor(files: Iterable<DescFile>, hidden: ReadonlySet<string>) {
    this.#hidden = hidden;
    for (const proto of collectFileProtos(files).file) this.#addFile(proto);
  }

  file(name: string): SchemaFile | undefined {
    return this.#files.get(name);
  }

  /** The file that declares a service, method, message, field, oneof, enum, value or extension. */
  fileOfSymbol(fullName: string): SchemaFile | undefined {
    return this.#symbols.get(fullName);
  }

  fileOfExtension(extendee: string, number: number): SchemaFile | undefined {
    return this.#extensions.get(extendee)?.get(number);
  }

  /** In ascending order; `undefined` if there is no such message. */
  extensionNumbers(extendee: string): number[] | undefined {
    const extensions = this.#extensions.get(extendee);
    return extensions && [...extensions.keys()].sort((a, b) => a - b);
  }

  #addFile(proto: FileDescriptorProto): void {
    const file = lazyFile(proto);
    this.#files.set(proto.name, file);
    const scope = proto.package;
    for (const message of proto.messageType) this.#addMessage(scope, message, file);
    for (const enumeration of proto.enumType) this.#addEnum(scope, enumeration, file);
    for (const extension of proto.extension) this.#addExtension(scope, extension, file);
    for (const service of proto.service) this.#addService(scope, service, file);
  }

  #addMessage(scope: string, message: DescriptorProto, file: SchemaFile): void {
    const name = this.#addSymbol(scope, message.name, file);
    this.#extensionsOf(name);
    for (const field of message.field) this.#addSymbol(name, field.name, file);
    for (const oneof of message.oneofDecl) this.#addSymbol(name, oneof.name, file);
    for (const nested of message.nestedType) this.#addMessage(name, nested, file);
    for (const enumeration of message.enumType) this.#addEnum(name, enumeration, file);
    for (const extension of message.extension) this.#addExtension(name, extension, file);
  }

  #addEnum(scope: string, enumeration: EnumDescriptorProto, file: SchemaFile): void {
    const name = this.#addSymbol(scope, enumeration.name, file);
    for (const value of enumeration.value) {
      // By the rules of protobuf a value is a sibling of its enum; some clients ask for it as a child.
      this.#addSymbol(scope, value.name, file);
      this.#addSymbol(name, value.name, file);
    }
  }

  #addExtension(scope: string, extension: FieldDescriptorProto, file: SchemaFile): void {
    this.#addSymbol(scope, extension.name, file);
    const extensions = this.#extensionsOf(extension.extendee.replace(/^\./, ""));
    if (!extensions.has(extension.number)) extensions.set(extension.number, file);
  }

  #addService(scope: string, service: ServiceDescriptorProto, file: SchemaFile): void {
    if (this.#hidden.has(join(scope, service.name))) return;
    const name = this.#addSymbol(scope, service.name, file);
    for (const method of service.method) this.#addSymbol(name, method.name, file);
  }

  #addSymbol(scope: string, name: string, file: SchemaFile): string {
    const fullName = join(scope, name);
    if (!this.#symbols.has(fullName)) this.#symbols.set(fullName, file);
    return fullName;
  }

  #extensionsOf(message: string): Map<number, SchemaFile> {
    const known = this.#extensions.get(message);
    if (known) return known;
    const extensions = new Map<number, SchemaFile>();
    this.#extensions.set(message, extensions);
    return extensions;
  }
}

function join(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}

function lazyFile(proto: FileDescriptorProto): SchemaFile {
  let bytes: Uint8Array | undefined;
  return {
    proto,
    get bytes() {
      bytes ??= toBinary(FileDescriptorProtoSchema, proto);
      return bytes;
    },
  };
}

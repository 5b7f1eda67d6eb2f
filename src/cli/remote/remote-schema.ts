import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescService,
  type FileRegistry,
} from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { nearest } from "../../core/internal.ts";
import { CliError, usageError } from "../cli-error.ts";
import { fillJsonNames } from "../json/json-name.ts";
import { ReflectionClient } from "./reflection-client.ts";

/** What every protobuf runtime has, for servers that do not send it. */
const wellKnown = new Map(
  [
    file_google_protobuf_any,
    file_google_protobuf_api,
    file_google_protobuf_descriptor,
    file_google_protobuf_duration,
    file_google_protobuf_empty,
    file_google_protobuf_field_mask,
    file_google_protobuf_source_context,
    file_google_protobuf_struct,
    file_google_protobuf_timestamp,
    file_google_protobuf_type,
    file_google_protobuf_wrappers,
  ].map((file) => [file.proto.name, file.proto]),
);

/** The schema of a running server, loaded as far as it is asked for. */
export class RemoteSchema {
  readonly #client: ReflectionClient;
  readonly #files = new Map<string, FileDescriptorProto>();
  readonly #extended = new Set<string>();
  #registry: FileRegistry = createFileRegistry(create(FileDescriptorSetSchema));

  constructor(transport: Transport) {
    this.#client = new ReflectionClient(transport);
  }

  /** Everything loaded so far. */
  get registry(): FileRegistry {
    return this.#registry;
  }

  /** Loaded files, imports before those that need them. */
  get files(): FileDescriptorProto[] {
    const sorted = new Set<FileDescriptorProto>();
    const visit = (file: FileDescriptorProto | undefined) => {
      if (!file || sorted.has(file)) return;
      for (const name of file.dependency) visit(this.#files.get(name));
      sorted.add(file);
    };
    for (const file of this.#files.values()) visit(file);
    return [...sorted];
  }

  listServices(): Promise<string[]> {
    return this.#client.listServices();
  }

  /** Loads the file of a symbol with all it needs; false if the server does not know the symbol. */
  async load(symbol: string): Promise<boolean> {
    const files = await this.#client.filesOfSymbol(symbol);
    if (!files) return false;
    await this.#add(files);
    this.#build();
    await this.#loadExtensions();
    return true;
  }

  /** Throws a usage error that names the nearest service for one the server does not have. */
  async service(name: string): Promise<DescService> {
    const known = await this.load(name);
    const service = known ? this.#registry.getService(name) : undefined;
    if (service) return service;
    const services = await this.listServices();
    const byLastName = services.find((candidate) => candidate.endsWith(`.${name}`));
    const suggestion = byLastName ?? nearest(name, services);
    throw usageError(
      `the server has no service "${name}"`,
      suggestion === undefined ? "it lists none" : `did you mean "${suggestion}"?`,
    );
  }

  /** The method of `package.Service/Method` or `package.Service.Method`. */
  async method(path: string): Promise<DescMethod> {
    const [, serviceName, methodName] = /^\/?([\w.]+)[/.](\w+)$/.exec(path) ?? [];
    if (serviceName === undefined || methodName === undefined) {
      throw usageError(`"${path}" is no method`, "write it like package.Service/Method");
    }
    const service = await this.service(serviceName);
    const method = service.methods.find(({ name }) => name === methodName);
    if (method) return method;
    const suggestion = nearest(
      methodName,
      service.methods.map(({ name }) => name),
    );
    throw usageError(
      `${serviceName} has no method "${methodName}"`,
      suggestion === undefined ? "it has none" : `did you mean "${serviceName}/${suggestion}"?`,
    );
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #add(files: readonly FileDescriptorProto[]): Promise<void> {
    for (const file of files) {
      if (this.#files.has(file.name)) continue;
      fillJsonNames(file);
      this.#files.set(file.name, file);
    }
    for (const file of files) {
      for (const name of file.dependency) {
        if (this.#files.has(name)) continue;
        const found = await this.#import(name);
        if (!found) {
          throw new CliError(`the server does not give "${name}", which ${file.name} imports`, {
            hint: "its reflection is incomplete; call it with a client that has the proto files",
          });
        }
        await this.#add(found);
      }
    }
  }

  async #import(name: string): Promise<FileDescriptorProto[] | undefined> {
    const known = wellKnown.get(name);
    return known ? [known] : this.#client.filesByName(name);
  }

  #build(): void {
    this.#registry = createFileRegistry(create(FileDescriptorSetSchema, { file: this.files }));
  }

  /** Extensions are declared in files that nothing has to import. */
  async #loadExtensions(): Promise<void> {
    for (const desc of [...this.#registry]) {
      const isAsked = desc.kind === "message" && !this.#extended.has(desc.typeName);
      if (!isAsked || desc.proto.extensionRange.length === 0) continue;
      this.#extended.add(desc.typeName);
      // Options are read with the descriptors that came along.
      if (desc.typeName.startsWith("google.protobuf.")) continue;
      for (const number of await this.#client.extensionNumbers(desc.typeName)) {
        if (this.#registry.getExtensionFor(desc, number)) continue;
        await this.#add((await this.#client.filesOfExtension(desc.typeName, number)) ?? []);
        this.#build();
      }
    }
  }
}

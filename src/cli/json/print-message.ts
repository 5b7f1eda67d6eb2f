import {
  create,
  createFileRegistry,
  createRegistry,
  type DescMessage,
  type JsonValue,
  type Message,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { type LoadType, unknownAnyType } from "./read-requests.ts";

export interface MessageJsonOptions {
  readonly registry: Registry;
  readonly loadType: LoadType;
  /** Write fields that have no value, too. */
  readonly emitDefaults: boolean;
  /** Called with the name of a type an `Any` holds that nobody knows; its content is left out. */
  readonly onUnknownType: (typeName: string) => void;
}

/** A message as protobuf's JSON; types inside of `Any` are asked of the server. */
export async function messageToJson(
  schema: DescMessage,
  message: Message,
  options: MessageJsonOptions,
): Promise<JsonValue> {
  const { loadType, emitDefaults, onUnknownType } = options;
  let { registry } = options;
  const asked = new Set<string>();
  for (;;) {
    try {
      return toJson(schema, message, { registry, alwaysEmitImplicit: emitDefaults });
    } catch (error) {
      const typeName = unknownAnyType(error);
      if (typeName === undefined || asked.has(typeName)) throw error;
      asked.add(typeName);
      const loaded = await loadType(typeName);
      if (loaded?.getMessage(typeName)) {
        registry = createRegistry(registry, loaded);
      } else {
        onUnknownType(typeName);
        registry = createRegistry(registry, emptyType(typeName));
      }
    }
  }
}

/** A message type without fields, so that an `Any` of it can be written at all. */
function emptyType(typeName: string): DescMessage {
  const dot = typeName.lastIndexOf(".");
  const file = create(FileDescriptorProtoSchema, {
    name: `${typeName}.proto`,
    syntax: "proto3",
    package: typeName.slice(0, Math.max(dot, 0)),
    messageType: [{ name: typeName.slice(dot + 1) }],
  });
  return createFileRegistry(file, () => undefined).getMessage(typeName) as DescMessage;
}

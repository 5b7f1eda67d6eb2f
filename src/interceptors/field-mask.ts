import {
  clone,
  type DescField,
  type DescMessage,
  fromBinary,
  type Message,
  type Registry,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect, scalarZeroValue } from "@bufbuild/protobuf/reflect";
import { type Any, AnySchema, FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";

export interface FieldMaskOptions {
  /** What strings become; other fields are cleared. */
  readonly mask: string;
  /** Fields beside those marked `[debug_redact = true]`, as `pkg.Message.field`. */
  readonly fields: ReadonlySet<string>;
  /** Drops what nobody can look into: unknown fields, and an `Any` of an unknown type. */
  readonly dropUnknown: boolean;
}

interface Plan {
  readonly marked: readonly DescField[];
  /** Fields with messages in them that may have something to mask. */
  readonly nested: readonly DescField[];
}

/** Masks secrets in messages, however deep they are. The given message stays as it is. */
export class FieldMask {
  readonly #options: FieldMaskOptions;
  readonly #plans = new Map<DescMessage, Plan>();
  /** Finds the types of `Any`s and of extensions. */
  registry: Registry | undefined;

  constructor(options: FieldMaskOptions) {
    this.#options = options;
  }

  /** Whether messages of this type can have anything to mask. */
  concerns(type: DescMessage): boolean {
    return this.#options.dropUnknown || this.#isConcerned(type, new Set());
  }

  apply<T extends Message>(type: DescMessage, message: T): T {
    const copy = clone(type, message);
    this.#mask(reflect(type, copy));
    return copy as T;
  }

  #mask(message: ReflectMessage): void {
    if (message.desc.typeName === AnySchema.typeName) {
      this.#maskAny(message.message as Any);
      return;
    }
    const { marked, nested } = this.#plan(message.desc);
    this.#maskUnknown(message);
    for (const field of marked) if (message.isSet(field)) this.#hide(message, field);
    for (const field of nested) if (message.isSet(field)) this.#descend(message, field);
  }

  #hide(message: ReflectMessage, field: DescField): void {
    if (field.fieldKind === "scalar" && field.scalar === ScalarType.STRING) {
      message.set(field, this.#options.mask);
    } else if (field.presence !== FeatureSet_FieldPresence.LEGACY_REQUIRED) {
      message.clear(field);
    } else if (field.fieldKind === "scalar") {
      message.set(field, scalarZeroValue(field.scalar, false));
    } else if (field.fieldKind === "enum") {
      message.set(field, field.enum.values[0]?.number ?? 0);
    } else if (field.fieldKind === "message") {
      message.set(field, reflect(field.message));
    }
  }

  #descend(message: ReflectMessage, field: DescField): void {
    if (field.fieldKind === "message") {
      this.#mask(message.get(field));
    } else if (field.fieldKind === "list") {
      for (const item of message.get(field)) this.#mask(item as ReflectMessage);
    } else if (field.fieldKind === "map") {
      for (const [, value] of message.get(field)) this.#mask(value as ReflectMessage);
    }
  }

  #maskAny(any: Any): void {
    const type = this.registry?.getMessage(any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1));
    if (type) {
      const inner = reflect(type, fromBinary(type, any.value));
      this.#mask(inner);
      any.value = toBinary(type, inner.message);
    } else if (this.#options.dropUnknown) {
      any.typeUrl = "";
      any.value = new Uint8Array();
    }
  }

  #maskUnknown({ desc, message }: ReflectMessage): void {
    if (!message.$unknown) return;
    const { dropUnknown } = this.#options;
    const kept = message.$unknown.filter(({ no }) => {
      const extension = this.registry?.getExtensionFor(desc, no);
      return !dropUnknown && !(extension && this.#isMarked(extension));
    });
    message.$unknown = kept.length > 0 ? kept : undefined;
  }

  #isMarked(field: Pick<DescField, "proto"> & { parent?: DescMessage; name: string }): boolean {
    const name = field.parent ? `${field.parent.typeName}.${field.name}` : field.name;
    return field.proto.options?.debugRedact === true || this.#options.fields.has(name);
  }

  #plan(type: DescMessage): Plan {
    let plan = this.#plans.get(type);
    if (!plan) {
      const marked = type.fields.filter((field) => this.#isMarked(field));
      const nested = type.fields.filter((field) => {
        const inner = messageOf(field);
        return inner && !marked.includes(field) && this.concerns(inner);
      });
      plan = { marked, nested };
      this.#plans.set(type, plan);
    }
    return plan;
  }

  #isConcerned(type: DescMessage, visited: Set<DescMessage>): boolean {
    if (visited.has(type)) return false;
    visited.add(type);
    if (type.typeName === AnySchema.typeName || type.proto.extensionRange.length > 0) return true;
    return type.fields.some((field) => {
      const inner = messageOf(field);
      return this.#isMarked(field) || (inner && this.#isConcerned(inner, visited));
    });
  }
}

function messageOf(field: DescField): DescMessage | undefined {
  return (field as { message?: DescMessage }).message;
}

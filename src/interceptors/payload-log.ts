import {
  createRegistry,
  type DescMessage,
  type DescService,
  type Message,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { FieldMask } from "./field-mask.ts";
import { registryOf } from "./service-registry.ts";

/** Turns messages into JSON that is fit for a log: without secrets, and of bounded size. */
export class PayloadWriter {
  readonly maxBytes: number;
  readonly #mask = new FieldMask({ mask: "***", fields: new Set(), dropUnknown: true });
  #registry: Registry = createRegistry();

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Learns the types that an `Any` of these services may hold. */
  addTypes(services: readonly DescService[]): void {
    this.#registry = createRegistry(this.#registry, registryOf(services));
    this.#mask.registry = this.#registry;
  }

  write(type: DescMessage, message: Message): string {
    try {
      const masked = this.#mask.apply(type, message);
      return JSON.stringify(toJson(type, masked, { registry: this.#registry }));
    } catch {
      return `"a ${type.typeName} that has no JSON form"`;
    }
  }
}

/** The messages of one direction of a call, as far as they fit. */
export class PayloadLog {
  readonly #writer: PayloadWriter;
  readonly #type: DescMessage;
  #json = "";
  #isCut = false;

  constructor(writer: PayloadWriter, type: DescMessage) {
    this.#writer = writer;
    this.#type = type;
  }

  add(message: unknown): void {
    if (this.#isCut) return;
    const json = this.#writer.write(this.#type, message as Message);
    const joined = this.#json === "" ? json : `${this.#json},${json}`;
    this.#isCut = Buffer.byteLength(joined) > this.#writer.maxBytes;
    this.#json = this.#isCut ? cut(joined, this.#writer.maxBytes) : joined;
  }

  /** The messages, one after the other, separated by commas; what is too long ends in `…`. */
  get json(): string {
    return this.#json;
  }
}

/** Not in the middle of a character. */
function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text).subarray(0, maxBytes);
  return `${bytes.toString().replace(/\uFFFD+$/, "")}…`;
}

import type { DescMessage, Message } from "@bufbuild/protobuf";

/** Field number of the extensions `buf.validate.message`, `.oneof` and `.field`. */
const RULES_FIELD = 1159;

const known = new WeakMap<DescMessage, boolean>();

/** Whether a message of this type, or anything it can contain, has validation rules. */
export function hasRules(type: DescMessage): boolean {
  let result = known.get(type);
  if (result === undefined) {
    result = search(type, new Set());
    known.set(type, result);
  }
  return result;
}

function search(type: DescMessage, visited: Set<DescMessage>): boolean {
  if (visited.has(type)) return false;
  visited.add(type);
  if (isRuled(type.proto.options) || type.oneofs.some(({ proto }) => isRuled(proto.options))) {
    return true;
  }
  return type.fields.some((field) => {
    if (isRuled(field.proto.options)) return true;
    const { message } = field as { message?: DescMessage };
    return message !== undefined && search(message, visited);
  });
}

function isRuled(options: Message | undefined): boolean {
  return options?.$unknown?.some(({ no }) => no === RULES_FIELD) ?? false;
}

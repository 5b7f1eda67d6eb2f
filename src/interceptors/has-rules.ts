import { type DescMessage, hasOption } from "@bufbuild/protobuf";
import { field, message, oneof } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

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
  if (hasOption(type, message)) return true;
  if (type.oneofs.some((group) => hasOption(group, oneof))) return true;
  return type.fields.some((member) => {
    if (hasOption(member, field)) return true;
    const { message: inner } = member as { message?: DescMessage };
    return inner !== undefined && search(inner, visited);
  });
}

import type { JsonValue } from "@bufbuild/protobuf";

interface ViolationJson {
  readonly field?: { readonly elements?: readonly PathElementJson[] };
  readonly ruleId?: string;
  readonly message?: string;
}

interface PathElementJson {
  readonly fieldName?: string;
  readonly index?: string;
  readonly boolKey?: boolean;
  readonly intKey?: string;
  readonly uintKey?: string;
  readonly stringKey?: string;
}

/** What `buf.validate.Violations` says, one line for each rule: `items[0].name: too short [rule]`. */
export function violationNotes(value: JsonValue): string[] {
  const { violations = [] } = value as { violations?: readonly ViolationJson[] };
  return violations.map(({ field, message, ruleId = "" }) => {
    const path = (field?.elements ?? []).map(pathElement).join(".");
    const text = [path, message].filter(Boolean).join(": ");
    return [text, ruleId === "" ? "" : `[${ruleId}]`].filter(Boolean).join(" ");
  });
}

function pathElement(element: PathElementJson): string {
  const { fieldName = "", index, boolKey, intKey, uintKey, stringKey } = element;
  const key = index ?? boolKey ?? intKey ?? uintKey;
  if (key !== undefined) return `${fieldName}[${key}]`;
  return stringKey === undefined ? fieldName : `${fieldName}[${JSON.stringify(stringKey)}]`;
}

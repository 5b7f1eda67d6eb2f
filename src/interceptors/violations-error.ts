import { toBinary } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { type Violation, violationsToProto } from "@bufbuild/protovalidate";
import { Code, ConnectError } from "@connectrpc/connect";

/** Details travel in a trailer, and peers refuse headers of more than 8 KiB, base64 included. */
const MAX_DETAIL_BYTES = 4 * 1024;
const MAX_LISTED = 10;
const MAX_TEXT = 100;

/** `invalid_argument` with what is wrong and where, as text and as a `buf.validate.Violations`. */
export function violationsError(violations: readonly Violation[]): ConnectError {
  const listed = violations.slice(0, MAX_LISTED).map(describe);
  const others = violations.length - listed.length;
  if (others > 0) listed.push(`${others} more`);
  const [value, desc] = violationsToProto(thatFit(violations));
  return new ConnectError(listed.join("; "), Code.InvalidArgument, undefined, [{ desc, value }]);
}

function describe({ field, message, ruleId }: Violation): string {
  const path = pathToString(field).slice(0, MAX_TEXT);
  const text = message.slice(0, MAX_TEXT) || "is invalid";
  return `${path === "" ? "" : `${path}: `}${text} [${ruleId}]`;
}

function thatFit(violations: readonly Violation[]): Violation[] {
  const fit: Violation[] = [];
  let bytes = 0;
  for (const violation of violations) {
    const [single, desc] = violationsToProto([violation]);
    bytes += toBinary(desc, single).byteLength;
    if (bytes > MAX_DETAIL_BYTES) break;
    fit.push(violation);
  }
  return fit;
}

import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";

/** The length of a message in its binary form; undefined for one that has none. */
export function messageSize(desc: DescMessage, message: Message): number | undefined {
  try {
    return toBinary(desc, message).byteLength;
  } catch {
    // Who sends or reads it gets the error; to a metric it has no size.
    return undefined;
  }
}

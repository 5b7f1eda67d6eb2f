import type { DescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** The JSON name compilers give a field that sets none. */
export function defaultJsonName(name: string): string {
  return name.replace(/_+(.?)/g, (_, char: string) => char.toUpperCase());
}

/** Gives fields the JSON name that some servers, grpc-js among them, leave out of descriptors. */
export function fillJsonNames(file: FileDescriptorProto): void {
  const visit = (message: DescriptorProto) => {
    for (const field of message.field) field.jsonName ||= defaultJsonName(field.name);
    message.nestedType.forEach(visit);
  };
  file.messageType.forEach(visit);
}

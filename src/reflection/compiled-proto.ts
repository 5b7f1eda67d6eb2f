import { type DescFile, fromBinary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { DESCRIPTOR_PROTO } from "./descriptor-proto.ts";

let descriptorProto: FileDescriptorProto | undefined;

/**
 * The descriptor of a file as the compiler made it. Generated code embeds just that, with one
 * exception: protobuf-es ships `google/protobuf/descriptor.proto`, which every custom option
 * imports, without its file options, reserved ranges and some field options.
 */
export function compiledProto(file: DescFile): FileDescriptorProto {
  const { proto } = file;
  if (proto.name !== "google/protobuf/descriptor.proto" || proto.options) return proto;
  descriptorProto ??= fromBinary(FileDescriptorProtoSchema, base64Decode(DESCRIPTOR_PROTO));
  return descriptorProto;
}

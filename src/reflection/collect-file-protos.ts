import { create, type DescFile } from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { compiledProto } from "./compiled-proto.ts";

/**
 * The files and everything they import as one descriptor set, as `protoc --include_imports` writes
 * it: imports before the files that need them, each file name once. The set shares the descriptors
 * with the files; do not change them.
 */
export function collectFileProtos(files: Iterable<DescFile>): FileDescriptorSet {
  const set = create(FileDescriptorSetSchema);
  const seen = new Set<string>();
  const visit = (file: DescFile) => {
    if (seen.has(file.proto.name)) return;
    seen.add(file.proto.name);
    for (const dependency of file.dependencies) visit(dependency);
    set.file.push(compiledProto(file));
  };
  for (const file of files) visit(file);
  return set;
}

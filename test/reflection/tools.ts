import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** What `buf build` makes of one file and its imports. */
export function bufBuild(module: string, path: string): FileDescriptorSet {
  const args = ["build", module, "--path", path, "--as-file-descriptor-set", "-o", "-"];
  const buf = resolve("node_modules/.bin/buf");
  const bytes = execFileSync(buf, [...args, "--exclude-source-info"], { stdio: "pipe" });
  return fromBinary(FileDescriptorSetSchema, bytes);
}

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { createFileRegistry, createRegistry, type DescFile, toJson } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, type FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { collectFileProtos } from "connectum/reflection";
import { printFile } from "../../src/cli/print-proto/print-file.ts";
import { bufBuild } from "../reflection/tools.ts";

/** The files, printed into a folder and compiled by buf. */
function compilePrinted(files: readonly DescFile[], name: string): FileDescriptorSet {
  const folder = mkdtempSync(join(tmpdir(), "connectum-print-"));
  try {
    for (const file of files) {
      const path = join(folder, file.proto.name);
      if (file.proto.name.startsWith("google/protobuf/")) continue;
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, printFile(file));
    }
    return bufBuild(folder, join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** By file name, with custom options decoded. */
function readable(set: FileDescriptorSet, files: readonly DescFile[]) {
  const registry = createRegistry(...files);
  return Object.fromEntries(
    set.file.map((file) => [file.name, toJson(FileDescriptorProtoSchema, file, { registry })]),
  );
}

describe("printFile", () => {
  test("prints proto2, proto3, editions and custom options so that buf compiles the same", () => {
    const name = "connectum/test/v1/catalog.proto";
    const compiled = bufBuild("test/proto", `test/proto/${name}`);
    const files = [...createFileRegistry(compiled).files];
    assert.deepEqual(readable(compilePrinted(files, name), files), readable(compiled, files));
  });

  test("prints buf/validate/validate.proto so that buf compiles the same", () => {
    const files = [file_buf_validate_validate, ...file_buf_validate_validate.dependencies];
    const printed = compilePrinted(files, "buf/validate/validate.proto");
    const expected = collectFileProtos([file_buf_validate_validate]);
    assert.deepEqual(readable(printed, files), readable(expected, files));
  });
});

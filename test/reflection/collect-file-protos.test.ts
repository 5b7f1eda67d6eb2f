import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFileRegistry, toJson } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  type FileDescriptorSet,
} from "@bufbuild/protobuf/wkt";
import { collectFileProtos, Reflection } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { file_connectum_test_v1_catalog } from "../gen/connectum/test/v1/catalog_pb.js";
import { file_connectum_test_v1_options } from "../gen/connectum/test/v1/options_pb.js";
import { createTransport } from "../support/transports.ts";
import { catalog } from "./catalog.ts";
import { ask, filesOf, listServices, versions } from "./conversation.ts";
import { bufBuild } from "./tools.ts";

const compiled = bufBuild("test/proto", "test/proto/connectum/test/v1/catalog.proto");
const compiledReflection = bufBuild("proto", "proto/grpc/reflection");

/** By file name, with custom options decoded by the schema's own registry. */
function readable(files: Iterable<FileDescriptorProto>, schema: FileDescriptorSet) {
  const registry = createFileRegistry(schema);
  return Object.fromEntries(
    [...files].map((file) => [file.name, toJson(FileDescriptorProtoSchema, file, { registry })]),
  );
}

describe("collectFileProtos", () => {
  test("gives the set that buf build makes", () => {
    const { file } = collectFileProtos([file_connectum_test_v1_catalog]);
    assert.deepEqual(readable(file, compiled), readable(compiled.file, compiled));
  });

  test("puts imports first and each file once", () => {
    const files = [file_connectum_test_v1_options, file_connectum_test_v1_catalog];
    const names: string[] = [];
    for (const { name, dependency } of collectFileProtos([...files, ...files]).file) {
      for (const imported of dependency) assert.ok(names.includes(imported), imported);
      names.push(name);
    }
    assert.equal(new Set(names).size, names.length);
    assert.equal(names.length, compiled.file.length);
  });
});

describe("the set rebuilt through reflection", () => {
  for (const [version, service] of Object.entries(versions)) {
    test(`${version}: equals the one buf build makes, custom options included`, async (t) => {
      const { baseUrl } = await createTestServer({
        t,
        services: catalog,
        protocols: [Reflection()],
      });
      const transport = createTransport("gRPC h2", baseUrl);
      const names = await listServices(transport, service);
      const responses = await ask(
        transport,
        names.map((value) => ({ case: "fileContainingSymbol", value })),
        service,
      );
      const files = responses.flatMap(({ messageResponse }) => {
        assert.equal(messageResponse.case, "fileDescriptorResponse");
        return filesOf(messageResponse.value);
      });
      const expected = [...compiled.file, ...compiledReflection.file];
      assert.deepEqual(readable(files, compiled), readable(expected, compiled));
    });
  }

  test("the comparison sees custom options", () => {
    const { "connectum/test/v1/catalog.proto": file } = readable(compiled.file, compiled);
    const rule = '"[connectum.test.v1.method_rule]":{"role":"admin","scope":["a","b"]';
    assert.ok(JSON.stringify(file).includes(rule));
  });
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { createFileRegistry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Reflection } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { missing, run } from "../interop/tools.ts";
import { createWire, wireNames } from "../support/plain-and-tls.ts";
import { catalog } from "./catalog.ts";
import { bufBuild } from "./tools.ts";

const compiled = bufBuild("test/proto", "test/proto/connectum/test/v1/catalog.proto");
const SERVICE = "connectum.test.v1.CatalogService";

async function start(t: TestContext, wireName: (typeof wireNames)[number]) {
  const { tls, ca } = await createWire(t, wireName);
  const { port } = await createTestServer({ t, services: catalog, protocols: [Reflection()], tls });
  const address = `127.0.0.1:${port}`;
  const grpcurl = (...args: string[]) =>
    run("grpcurl", [...(ca ? ["-cacert", ca] : ["-plaintext"]), ...args]);
  return {
    address,
    grpcurl,
    async call(method: string, ...requests: object[]) {
      const data = requests.map((request) => JSON.stringify(request)).join("\n");
      const target = `${SERVICE}/${method}`;
      const output = await grpcurl("-d", data, address, target);
      assert.equal(output.status, 0, output.stderr);
      // grpcurl writes messages one after another, each closed by a brace in the first column.
      return output.stdout
        .split(/(?<=^\})\n/m)
        .filter((text) => text.trim() !== "")
        .map((text) => JSON.parse(text));
    },
  };
}

/** Every name the schema declares; of the types it imports from google.protobuf no members. */
function* symbols(): Generator<string> {
  yield "connectum.test.v1.Item.PartsEntry";
  yield "connectum.test.v1.Item.PartsEntry.key";
  for (const desc of createFileRegistry(compiled)) {
    yield desc.typeName;
    if (desc.typeName.startsWith("google.protobuf.")) continue;
    if (desc.kind === "service") {
      for (const method of desc.methods) yield `${desc.typeName}.${method.name}`;
    } else if (desc.kind === "message") {
      for (const field of desc.fields) yield `${desc.typeName}.${field.name}`;
      for (const oneof of desc.oneofs) yield `${desc.typeName}.${oneof.name}`;
    } else if (desc.kind === "enum") {
      for (const value of desc.values) yield `${desc.typeName}.${value.name}`;
    }
  }
}

for (const wireName of wireNames) {
  describe(`grpcurl on ${wireName}`, { skip: missing("grpcurl") }, () => {
    test("lists services and methods", async (t) => {
      const { address, grpcurl } = await start(t, wireName);
      const services = await grpcurl(address, "list");
      assert.deepEqual(services.stdout.trim().split("\n"), [
        "connectum.test.v1.AuditService",
        SERVICE,
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
      ]);
      const methods = await grpcurl(address, "list", SERVICE);
      assert.deepEqual(
        methods.stdout.trim().split("\n"),
        ["AddItems", "GetItem", "ListItems", "WatchItems"].map((name) => `${SERVICE}.${name}`),
      );
    });

    test("describes every symbol as from the file buf build writes", async (t) => {
      const { address, grpcurl } = await start(t, wireName);
      const folder = mkdtempSync(join(tmpdir(), "reflection-"));
      t.after(() => rmSync(folder, { recursive: true }));
      const protoset = join(folder, "schema.binpb");
      writeFileSync(protoset, toBinary(FileDescriptorSetSchema, compiled));
      let described = 0;
      const names = [...symbols()];
      const compareNext = async () => {
        for (let name = names.pop(); name !== undefined; name = names.pop()) {
          const [reflected, read] = await Promise.all([
            grpcurl(address, "describe", name),
            run("grpcurl", ["-protoset", protoset, "describe", name]),
          ]);
          assert.deepEqual(reflected, read, name);
          assert.equal(read.status, 0, `${name}: ${read.stderr}`);
          described++;
        }
      };
      await Promise.all(Array.from({ length: 4 }, compareNext));
      assert.ok(described > 140, `only ${described} symbols`);
    });

    test("calls all four kinds of method without proto files", async (t) => {
      const { call } = await start(t, wireName);
      assert.deepEqual(await call("GetItem", { id: "7" }), [
        {
          item: {
            id: "7",
            color: "COLOR_RED",
            parts: { a: { name: "bolt" } },
            details: [{ "@type": "type.googleapis.com/connectum.test.v1.Item.Part", name: "bolt" }],
          },
          legacy: { name: "old", entry: [{ key: "k" }], "[connectum.test.v1.nickname]": "nick" },
          modern: {
            id: "m",
            delimited: { name: "inner" },
            "[connectum.test.v1.annotation]": "noted",
          },
        },
      ]);
      assert.deepEqual(await call("ListItems", { limit: 2 }), [
        { item: { id: "item 1" } },
        { item: { id: "item 2" } },
      ]);
      assert.deepEqual(await call("AddItems", {}, {}, {}), [{ count: 3 }]);
      assert.deepEqual(await call("WatchItems", { id: "a" }, { id: "b" }), [
        { id: "a" },
        { id: "b" },
      ]);
    });
  });
}

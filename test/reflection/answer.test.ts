import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Reflection } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { createTransport } from "../support/transports.ts";
import { catalog } from "./catalog.ts";
import { ask, brief, type Question } from "./conversation.ts";

const FOLDER = "connectum/test/v1";
const PACKAGE = "connectum.test.v1";

async function briefs(t: TestContext, questions: Question[]) {
  const { baseUrl } = await createTestServer({ t, services: catalog, protocols: [Reflection()] });
  const transport = createTransport("gRPC h2", baseUrl);
  return (await ask(transport, questions)).map(brief);
}

const symbol = (value: string): Question => ({ case: "fileContainingSymbol", value });
const extension = (containingType: string, extensionNumber: number): Question => ({
  case: "fileContainingExtension",
  value: { containingType, extensionNumber },
});

describe("answer", () => {
  test("sends the requested file first, then everything it imports", async (t) => {
    const [files] = await briefs(t, [{ case: "fileByFilename", value: `${FOLDER}/catalog.proto` }]);
    assert.equal(files?.[0], `${FOLDER}/catalog.proto`);
    assert.deepEqual([...(files ?? [])].sort(), [
      `${FOLDER}/catalog.proto`,
      `${FOLDER}/editions.proto`,
      `${FOLDER}/legacy.proto`,
      `${FOLDER}/options.proto`,
      "google/protobuf/any.proto",
      "google/protobuf/descriptor.proto",
      "google/protobuf/timestamp.proto",
    ]);
  });

  test("does not repeat imports on a stream, but always the requested file", async (t) => {
    const files = await briefs(t, [
      symbol(`${PACKAGE}.Rule`),
      symbol("google.protobuf.FieldOptions"),
      symbol(`${PACKAGE}.CatalogService`),
      symbol(`${PACKAGE}.CatalogService`),
      { case: "fileByFilename", value: `${FOLDER}/legacy.proto` },
    ]);
    assert.deepEqual(files, [
      [`${FOLDER}/options.proto`, "google/protobuf/descriptor.proto"],
      ["google/protobuf/descriptor.proto"],
      [
        `${FOLDER}/catalog.proto`,
        `${FOLDER}/editions.proto`,
        `${FOLDER}/legacy.proto`,
        "google/protobuf/any.proto",
        "google/protobuf/timestamp.proto",
      ],
      [`${FOLDER}/catalog.proto`],
      [`${FOLDER}/legacy.proto`],
    ]);
  });

  test("finds the file of an extension, top level, nested, group or option", async (t) => {
    const files = await briefs(t, [
      extension(`${PACKAGE}.Legacy`, 150),
      extension(`${PACKAGE}.Legacy`, 102),
      extension(`${PACKAGE}.Legacy`, 101),
      extension(`${PACKAGE}.Modern`, 51),
      extension("google.protobuf.FieldOptions", 50002),
    ]);
    assert.deepEqual(
      files.map((names) => names[0]),
      ["legacy", "legacy", "legacy", "editions", "options"].map(
        (name) => `${FOLDER}/${name}.proto`,
      ),
    );
  });

  test("lists extension numbers in ascending order; a message nobody extends has none", async (t) => {
    const numbers = await briefs(
      t,
      ["Legacy", "Modern", "LegacyUntouched", "Item"].map((name) => ({
        case: "allExtensionNumbersOfType",
        value: `${PACKAGE}.${name}`,
      })),
    );
    assert.deepEqual(numbers, [[101, 102, 150], [51], [], []]);
  });
});

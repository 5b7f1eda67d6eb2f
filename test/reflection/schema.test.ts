import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Reflection } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { createTransport } from "../support/transports.ts";
import { catalog } from "./catalog.ts";
import { ask, brief } from "./conversation.ts";

const declarations = {
  catalog: [
    "CatalogService",
    "CatalogService.GetItem",
    "AuditService.Audit",
    "Item",
    "Item.id",
    "Item.note",
    "Item.price",
    "Item._note",
    "Item.Part",
    "Item.Part.name",
    "Item.Part.Kind",
    "Item.Part.KIND_SCREW",
    "Item.Part.Kind.KIND_SCREW",
    "Item.PartsEntry",
    "Item.PartsEntry.value",
    "Color",
    "COLOR_RED",
    "Color.COLOR_RED",
  ],
  legacy: [
    "Legacy",
    "Legacy.Entry",
    "Legacy.entry",
    "Legacy.Entry.key",
    "Legacy.Mode",
    "Legacy.MODE_ON",
    "Legacy.Scope.scoped",
    "nickname",
    "Remark",
    "remark",
    "Remark.body",
  ],
  editions: ["Modern.State.STATE_OLD", "Modern.Part", "annotation"],
  options: ["owner", "field_rule", "tag", "Rule.LimitEntry", "Rule.Level.LEVEL_HIGH"],
};

describe("Schema", () => {
  for (const [file, names] of Object.entries(declarations)) {
    test(`finds what ${file}.proto declares`, async (t) => {
      const { baseUrl } = await createTestServer({
        t,
        services: catalog,
        protocols: [Reflection()],
      });
      const responses = await ask(
        createTransport("gRPC h2", baseUrl),
        names.map((name) => ({
          case: "fileContainingSymbol",
          value: `connectum.test.v1.${name}`,
        })),
      );
      for (const [index, response] of responses.entries()) {
        const [first] = brief(response);
        assert.equal(first, `connectum/test/v1/${file}.proto`, names[index]);
      }
      assert.equal(responses.length, names.length);
    });
  }
});

import assert, { AssertionError } from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { assertConnectError } from "connectum/testing";
import { GetItemRequestSchema } from "../gen/connectum/test/v1/catalog_pb.js";

const desc = GetItemRequestSchema;
const error = new ConnectError("no such item", Code.NotFound, { "x-shelf": "7" }, [
  { desc, value: { id: "a" } },
]);

describe("assertConnectError", () => {
  test("returns the error that is as expected", async () => {
    const expected = {
      message: /such/,
      details: [{ desc, value: { id: "a" } }],
      metadata: { "x-shelf": "7" },
    };
    assert.equal(assertConnectError(error, Code.NotFound, expected), error);
    assert.equal(await assertConnectError(Promise.reject(error), Code.NotFound), error);
  });

  const wrong: Array<[string, () => unknown, RegExp]> = [
    ["another code", () => assertConnectError(error, Code.Internal), /NotFound[\s\S]*Internal/],
    [
      "another message",
      () => assertConnectError(error, Code.NotFound, { message: "no item" }),
      /no such item[\s\S]*no item/,
    ],
    [
      "a pattern that does not match",
      () => assertConnectError(error, Code.NotFound, { message: /^item/ }),
      /no such item[\s\S]*\^item/,
    ],
    [
      "another detail",
      () => assertConnectError(error, Code.NotFound, { details: [{ desc, value: { id: "b" } }] }),
      /'a'[\s\S]*'b'/,
    ],
    [
      "a missing detail",
      () =>
        assertConnectError(new ConnectError("", Code.NotFound), Code.NotFound, {
          details: [{ desc, value: {} }],
        }),
      /GetItemRequest/,
    ],
    [
      "a detail too many",
      () => assertConnectError(error, Code.NotFound, { details: [] }),
      /GetItemRequest/,
    ],
    [
      "missing metadata",
      () => assertConnectError(error, Code.NotFound, { metadata: { "x-row": "1" } }),
      /x-row/,
    ],
    ["something else", () => assertConnectError(new Error("boom"), Code.NotFound), /Error: boom/],
    ["nothing", () => assertConnectError(undefined, Code.NotFound), /undefined/],
  ];
  for (const [what, attempt, message] of wrong) {
    test(`fails for ${what}, and shows both`, () => {
      assert.throws(attempt, (thrown) => {
        assert.ok(thrown instanceof AssertionError);
        assert.match(thrown.message, message);
        return true;
      });
    });
  }

  test("fails for a promise that resolves", async () => {
    await assert.rejects(assertConnectError(Promise.resolve(7), Code.NotFound), {
      name: "AssertionError",
      message: /resolved to 7/,
    });
  });
});

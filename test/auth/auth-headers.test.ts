import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code } from "@connectrpc/connect";
import { AUTH_HEADERS, type AuthContext, parseAuthHeaders, setAuthHeaders } from "connectum/auth";
import fc from "fast-check";

const identity = (init: Partial<AuthContext>): AuthContext => ({
  subject: "ada",
  type: "jwt",
  roles: [],
  scopes: [],
  claims: {},
  ...init,
});

describe("setAuthHeaders and parseAuthHeaders", () => {
  test("any text survives, as printable ASCII", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
    const list = fc.array(text, { maxLength: 5 });
    const contexts = fc.record({
      subject: text,
      type: text,
      name: text,
      roles: list,
      scopes: list,
      claims: fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
    });
    fc.assert(
      fc.property(contexts, (context) => {
        const header = new Headers();
        const plain = JSON.parse(JSON.stringify(context)) as AuthContext;
        try {
          setAuthHeaders(header, plain);
        } catch (error) {
          // Longer than the limit: refused as a whole.
          assert.equal((error as { code: Code }).code, Code.ResourceExhausted);
          assert.deepEqual([...header], []);
          return;
        }
        for (const [, value] of header) assert.match(value, /^[ -~]*$/);
        assert.deepEqual(JSON.parse(JSON.stringify(parseAuthHeaders(header))), plain);
      }),
      { numRuns: 300 },
    );
  });

  const limits = { subject: 512, type: 128, name: 256 } as const;
  for (const [field, limit] of Object.entries(limits)) {
    test(`${field} may have ${limit} characters, and one more is an error`, () => {
      const header = new Headers();
      setAuthHeaders(header, identity({ [field]: "x".repeat(limit) }));
      assert.equal(header.get(AUTH_HEADERS[field as "name"])?.length, limit);
      const empty = new Headers();
      assert.throws(() => setAuthHeaders(empty, identity({ [field]: "x".repeat(limit + 1) })), {
        code: Code.ResourceExhausted,
      });
      assert.deepEqual([...empty], [], "nothing is written by halves");
    });
  }

  for (const field of ["roles", "scopes", "claims"] as const) {
    test(`${field} may have 8192 characters as they are sent, and one more is an error`, () => {
      const value = (length: number) => {
        const text = "x".repeat(length - (field === "claims" ? '{"a":""}' : '[""]').length);
        return identity({ [field]: field === "claims" ? { a: text } : [text] });
      };
      setAuthHeaders(new Headers(), value(8192));
      assert.throws(() => setAuthHeaders(new Headers(), value(8193)), {
        code: Code.ResourceExhausted,
      });
    });
  }

  test("replaces an identity that is there, field by field", () => {
    const header = new Headers({ "x-auth-roles": '["root"]', "x-auth-name": "Root" });
    setAuthHeaders(header, identity({}));
    assert.deepEqual(
      [...header],
      [
        ["x-auth-subject", "ada"],
        ["x-auth-type", "jwt"],
      ],
    );
  });

  test("text that is none, and claims without a JSON form, are errors", () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    for (const wrong of [{ subject: "\ud800" }, { claims: circular }, { claims: { big: 1n } }]) {
      assert.throws(() => setAuthHeaders(new Headers(), identity(wrong)), {
        code: Code.InvalidArgument,
      });
    }
  });

  test("without a subject there is nobody; malformed or over-long values are refused", () => {
    assert.equal(parseAuthHeaders(new Headers({ "x-auth-roles": '["admin"]' })), undefined);
    const wrong: Array<Record<string, string>> = [
      { "x-auth-subject": "" },
      { "x-auth-subject": "%" },
      { "x-auth-subject": "%ff" },
      { "x-auth-subject": "x".repeat(513) },
      { "x-auth-roles": "admin" },
      { "x-auth-roles": "{}" },
      { "x-auth-roles": "[1]" },
      { "x-auth-scopes": '"read"' },
      { "x-auth-claims": "[]" },
      { "x-auth-claims": "{" },
      { "x-auth-name": "x".repeat(257) },
      { "x-auth-type": "" },
    ];
    for (const headers of wrong) {
      const header = new Headers({ "x-auth-subject": "ada", ...headers });
      assert.throws(() => parseAuthHeaders(header), { code: Code.Unauthenticated });
    }
  });
});

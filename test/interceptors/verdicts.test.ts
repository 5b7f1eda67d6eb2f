import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  create,
  type DescFile,
  type DescMessage,
  type DescMethodUnary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { anyPack, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import {
  type FieldPathElement,
  ViolationsSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";
import { createLocalTransport, createServer, defineService } from "connectum/core";
import { createValidationInterceptor } from "connectum/interceptors";
import fc from "fast-check";
import { missing, run } from "../interop/tools.ts";
import {
  BlobsSchema,
  CompositesSchema,
  ExclusiveSchema,
  ExpressionsSchema,
  FormatsSchema,
  LeafSchema,
  NumbersSchema,
  RulesService,
  StringsSchema,
} from "./gen/connectum/guarded/v1/rules_pb.js";

const SEED = 20_260_101;
const PER_TYPE = 40;

const pick = <T>(...values: T[]) => fc.constantFrom(...values);
const ints = pick(0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 99, 100, -1, -5, -6);
const unsigned = pick(0, 1, 3, 4, 7, 9, 10, 99, 100);
const floats = pick(0, 1, 1.5, 1.6, -1, -1.1, Number.NaN, Infinity, -Infinity);
const words = pick(
  "",
  "a",
  "ab",
  "abc",
  "abcdef",
  "xyz",
  "commma",
  "bad",
  "one",
  "nope",
  "ABC",
  "äöü",
  "日本語",
);
const leaf = fc.record(
  { name: words, next: fc.record({ name: words }, { requiredKeys: [] }) },
  { requiredKeys: [] },
);
const bytes = pick("", "a", "\x01", "\x01\x02", "abcd", "127.0", "0123456789abcdef").map((text) =>
  Buffer.from(text, "latin1"),
);
const addresses = pick(
  ...[
    "",
    "a@b.c",
    "not an email",
    "example.com",
    "-bad-.com",
    "127.0.0.1",
    "999.1.1.1",
    "::1",
    ":::",
  ],
  ...[
    "https://example.com/x?y#z",
    "/relative",
    "http://[::1]:80/",
    "\u0000",
    "10.0.0.0/8",
    "10.0.0.1/8",
  ],
  ...["2001:db8::/32", "example.com:80", "[::1]:443", "host:99999", "X-Header", "bad header"],
  ...["123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000", "x".repeat(300)],
);

/** Values on both sides of every rule. Each field is there or not. */
const families: Record<
  string,
  [DescMessage, DescMethodUnary, Record<string, fc.Arbitrary<unknown>>]
> = {
  numbers: [
    NumbersSchema,
    RulesService.method.checkNumbers,
    {
      floatGt: floats,
      doubleRange: floats,
      finite: floats,
      int32In: ints,
      int64Outside: ints.map(BigInt),
      uint32Const: unsigned,
      uint64NotIn: unsigned.map(BigInt),
      sint32Lte: ints,
      sint64Gte: ints.map(BigInt),
      fixed32Lt: unsigned,
      fixed64Gt: unsigned.map(BigInt),
      sfixed32Lt: ints,
      sfixed64In: ints.map(BigInt),
      boolConst: fc.boolean(),
    },
  ],
  strings: [StringsSchema, RulesService.method.checkStrings, fields(StringsSchema, () => words)],
  formats: [
    FormatsSchema,
    RulesService.method.checkFormats,
    fields(FormatsSchema, () => addresses),
  ],
  blobs: [BlobsSchema, RulesService.method.checkBlobs, fields(BlobsSchema, () => bytes)],
  composites: [
    CompositesSchema,
    RulesService.method.checkComposites,
    {
      mode: pick(0, 1, 2, 3),
      notMode: pick(0, 1, 2),
      names: fc.array(words, { maxLength: 4 }),
      scores: fc.dictionary(pick("a", "bb", "long key"), pick(-1, 0, 1)),
      leaves: fc.dictionary(pick("1", "2", "-3"), leaf),
      list: fc.array(leaf, { maxLength: 3 }),
      requiredLeaf: leaf,
      choice: fc.oneof(
        words.map((value) => ({ case: "text", value })),
        ints.map((value) => ({ case: "number", value })),
      ),
      wrapped: words,
      any: pick(anyPack(LeafSchema, create(LeafSchema)), anyPack(BlobsSchema, create(BlobsSchema))),
      duration: pick(0n, 1n, 59n, 60n).map((seconds) => ({ seconds, nanos: 0 })),
      timestamp: pick(0n, 1000n, 1001n).map((seconds) => ({ seconds, nanos: 0 })),
      maybe: words,
    },
  ],
  leaf: [LeafSchema, RulesService.method.checkLeaf, { name: words, next: leaf }],
  expressions: [
    ExpressionsSchema,
    RulesService.method.checkExpressions,
    {
      first: ints,
      last: ints,
      word: words,
      figures: fc.array(ints, { maxLength: 3 }),
      pairs: fc.dictionary(pick("x", "y"), ints),
    },
  ],
  exclusive: [ExclusiveSchema, RulesService.method.checkExclusive, { left: words, right: words }],
};

type Verdict = Array<[path: string, ruleId: string]>;

test("the verdicts are those of protovalidate in Python: valid or not, field path, rule id", {
  skip: missing("python", ["-c", "import celpy, google.protobuf"]),
}, async () => {
  const samples = Object.values(families).flatMap(([schema, method, arbitraries]) =>
    fc
      .sample(fc.record(arbitraries, { requiredKeys: [] }), { seed: SEED, numRuns: PER_TYPE })
      .map((init) => ({ method, schema, message: create(schema, init as never) })),
  );
  const server = createServer({
    services: [defineService(RulesService, allValid())],
    interceptors: [createValidationInterceptor()],
  });
  const transport = createLocalTransport(server);
  const ours: Verdict[] = [];
  for (const { method, message } of samples) {
    const call = transport.unary(method, undefined, undefined, undefined, message);
    ours.push(await call.then(() => [], verdictOf));
  }
  const theirs = await pythonVerdicts(samples);
  for (const [index, { schema, message }] of samples.entries()) {
    const text = `${schema.name} ${JSON.stringify(message, (_, value) => (typeof value === "bigint" ? String(value) : value))}`;
    assert.deepEqual(ours[index], theirs[index], text);
  }
  assert.ok(samples.length >= 300);
  const invalid = ours.filter((verdict) => verdict.length > 0).length;
  assert.ok(invalid > 200 && invalid < samples.length, `${invalid} of ${samples.length} invalid`);
  // Every rule of the file was broken by some message, or it would not have been compared.
  const broken = new Set(ours.flat().map(([, ruleId]) => ruleId));
  assert.ok(broken.size >= 60, `${broken.size}: ${[...broken].sort()}`);
});

function verdictOf(thrown: unknown): Verdict {
  const error = ConnectError.from(thrown);
  assert.equal(error.code, Code.InvalidArgument, error.message);
  const [detail] = error.findDetails(ViolationsSchema);
  const violations = (detail?.violations ?? []).map(({ field, ruleId }): [string, string] => [
    (field?.elements ?? []).map(elementText).join("."),
    ruleId,
  ]);
  return violations.sort(([a, b], [c, d]) => (a === c ? compare(b, d) : compare(a, c)));
}

function elementText({ fieldName, subscript }: FieldPathElement): string {
  return subscript.case ? `${fieldName}[${subscript.value}]` : fieldName;
}

/** As Python sorts. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function pythonVerdicts(
  samples: ReadonlyArray<{ schema: DescMessage; message: Message }>,
): Promise<Verdict[]> {
  const directory = mkdtempSync(join(tmpdir(), "verdicts-"));
  try {
    const input = join(directory, "messages.json");
    const messages = samples.map(({ schema, message }) => ({
      type: schema.typeName,
      data: Buffer.from(toBinary(schema, message)).toString("base64"),
    }));
    const files = filesOf(LeafSchema.file).map((file) =>
      Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)).toString("base64"),
    );
    writeFileSync(input, JSON.stringify({ files, messages }));
    const script = "test/interceptors/verdicts.py";
    const { status, stdout, stderr } = await run("python", [script, input], 120_000);
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as Verdict[];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** With its imports, those first. */
function filesOf(file: DescFile): DescFile[] {
  return [...new Set([...file.dependencies.flatMap(filesOf), file])];
}

function fields(
  schema: DescMessage,
  arbitrary: () => fc.Arbitrary<unknown>,
): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(schema.fields.map(({ localName }) => [localName, arbitrary()]));
}

function allValid() {
  return Object.fromEntries(
    RulesService.methods.map(({ localName }) => [localName, () => ({})]),
  ) as object;
}

import type { Names } from "./names.ts";

/** What templates import; written out, it would look like an import of this module. */
export const PACKAGE = "connectum";

/** Files by their path in the project. */
export type Files = Record<string, string>;

export interface ServiceTemplateOptions {
  /** With a stream beside the unary method. */
  readonly full: boolean;
  /** With authorization rules in the schema. */
  readonly auth: boolean;
}

/** Schema, handler and test of one service. */
export function serviceFiles(names: Names, options: ServiceTemplateOptions): Files {
  return {
    [`proto/${names.snake}/v1/${names.snake}.proto`]: proto(names, options),
    [`src/services/${names.kebab}.ts`]: handler(names, options),
    [`test/${names.kebab}.test.ts`]: test(names, options),
  };
}

const NAME_FIELD = `string name = 1 [(buf.validate.field).string = {
    min_len: 1
    max_len: 100
  }];`;

function proto(names: Names, { full, auth }: ServiceTemplateOptions): string {
  const imports = [
    "buf/validate/validate.proto",
    ...(auth ? ["connectum/auth/v1/options.proto"] : []),
  ];
  const methods = [
    `  // Greets one person. Safe to repeat.
  rpc SayHello(SayHelloRequest) returns (SayHelloResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;${
      auth ? "\n    option (connectum.auth.v1.method_auth) = {public: true};" : ""
    }
  }
`,
  ];
  const messages = [
    `message SayHelloRequest {
  // The rule is checked before the handler runs.
  ${NAME_FIELD}
}
`,
    `message SayHelloResponse {
  string greeting = 1;
}
`,
  ];
  if (full) {
    const rule = ` {
    option (connectum.auth.v1.method_auth) = {
      requires: {
        scopes: ["${names.snake}:read"]
      }
    };
  }`;
    methods.push(`  // Greets again and again, until the count is reached or the caller leaves.
  rpc Repeat(RepeatRequest) returns (stream RepeatResponse)${auth ? rule : ";"}
`);
    messages.push(
      `message RepeatRequest {
  ${NAME_FIELD}
  uint32 count = 2 [(buf.validate.field).uint32 = {
    gte: 1
    lte: 1000
  }];
}
`,
      `message RepeatResponse {
  string greeting = 1;
}
`,
    );
  }
  return `syntax = "proto3";

package ${names.snake}.v1;

${imports.map((path) => `import "${path}";`).join("\n")}

service ${names.pascal}Service {
${methods.join("\n")}}

${messages.join("\n")}`;
}

function handler(names: Names, { full }: ServiceTemplateOptions): string {
  const stream = full
    ? `
  async *repeat({ name, count }, { signal }) {
    for (let index = 1; index <= count && !signal.aborted; index++) {
      yield { greeting: \`Hello, \${name}! (\${index})\` };
    }
  },
`
    : "";
  return `import { defineService } from "${PACKAGE}/core";
import { ${names.pascal}Service } from "#gen/${names.snake}/v1/${names.snake}_pb.js";

export const ${names.camel} = defineService(${names.pascal}Service, {
  sayHello({ name }) {
    return { greeting: \`Hello, \${name}!\` };
  },
${stream}});
`;
}

function test(names: Names, { full, auth }: ServiceTemplateOptions): string {
  const repeat = `
test("Repeat greets as often as asked", async () => {
  const greetings: string[] = [];
  for await (const { greeting } of client.repeat({ name: "Ada", count: 2 })) {
    greetings.push(greeting);
  }
  assert.deepEqual(greetings, ["Hello, Ada! (1)", "Hello, Ada! (2)"]);
});
`;
  const guardedRepeat = `
test("Repeat is for callers with a token", async () => {
  const responses = client.repeat({ name: "Ada", count: 2 })[Symbol.asyncIterator]();
  await assert.rejects(responses.next(), { code: Code.Unauthenticated });
});
`;
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { ${names.pascal}Service } from "#gen/${names.snake}/v1/${names.snake}_pb.js";
import { buildServer } from "../src/server.ts";

// In process: through interceptors and validation, without a port.
const client = buildServer().localClient(${names.pascal}Service);

test("SayHello greets", async () => {
  assert.equal((await client.sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
});

test("SayHello refuses an empty name", async () => {
  await assert.rejects(client.sayHello({ name: "" }), { code: Code.InvalidArgument });
});
${full ? (auth ? guardedRepeat : repeat) : ""}`;
}

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { defineService } from "connectum/core";
import { createValidationInterceptor } from "connectum/interceptors";
import { Reflection } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { missing, run } from "../interop/tools.ts";
import { GuardedService } from "./gen/connectum/guarded/v1/guarded_pb.js";

const method = "connectum.guarded.v1.GuardedService/Save";

async function serve(t: TestContext): Promise<string> {
  const { port } = await createTestServer({
    t,
    services: [defineService(GuardedService, { save: () => ({}) })],
    protocols: [Reflection()],
    interceptors: [createValidationInterceptor()],
  });
  return `127.0.0.1:${port}`;
}

test("grpcurl decodes the violations by reflection", {
  skip: missing("grpcurl", ["-version"]),
}, async (t) => {
  const address = await serve(t);
  const { stderr } = await run("grpcurl", ["-plaintext", "-d", '{"name":"x"}', address, method]);
  assert.match(stderr, /Code: InvalidArgument/);
  assert.match(stderr, /"@type": ?"type.googleapis.com\/buf.validate.Violations"/);
  assert.match(stderr, /"ruleId": ?"string.min_len"/);
  assert.match(stderr, /"fieldName": ?"name"/);
});

test("grpcio decodes the violations from the status", {
  skip: missing("python", ["-c", "import grpc, google.protobuf"]),
}, async (t) => {
  const address = await serve(t);
  const { status, stdout, stderr } = await run("python", [
    "test/interceptors/violations.py",
    address,
  ]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    code: "INVALID_ARGUMENT",
    type: "type.googleapis.com/buf.validate.Violations",
    violations: [{ path: "name", rule: "string.min_len" }],
  });
});

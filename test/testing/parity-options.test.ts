import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { defineService } from "connectum/core";
import { transportParityTest } from "connectum/testing/parity";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";

const compared: Array<[transport: string, spans: number]> = [];
let intercepted = 0;
const counting: Interceptor = (next) => (request) => {
  intercepted++;
  return next(request);
};

transportParityTest("with every option", {
  services: [defineService(GreeterService, greeter)],
  interceptors: [counting],
  transports: ["connectHttp1", "local"],
  telemetry: false,
  scenario: ({ transport }) => createClient(GreeterService, transport).sayHello({ name: "Ada" }),
  compare(outcomes) {
    for (const [transport, { spans }] of outcomes) compared.push([transport, spans.length]);
  },
});

test("transports, telemetry and compare are those it was given", () => {
  assert.deepEqual(compared, [
    ["connectHttp1", 0],
    ["local", 0],
  ]);
});

test("interceptors are those of the server", () => {
  assert.equal(intercepted, 2);
});

test("expect fails equal answers that are wrong", () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const file = "test/testing/scenarios/wrong-answer.ts";
  const args = ["--import", "tsx", "--test-reporter", "tap", file];
  const { stdout } = spawnSync(process.execPath, args, { env, encoding: "utf8", timeout: 30_000 });
  assert.match(stdout, /not ok 1 - is wrong everywhere[\s\S]*grpc is not as expected/);
});

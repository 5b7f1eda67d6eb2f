import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createFakeClock,
  createFaultProxy,
  createMockContext,
  createTestCertificates,
  createTestJwt,
  generateTestKeypair,
} from "connectum/testing";
import { EchoService } from "../gen/connectum/bench/v1/echo_pb.js";

const { echo } = EchoService.method;

describe("a helper refuses what it does not understand, and says what it would", () => {
  const attempts: ReadonlyArray<[name: string, attempt: () => unknown, message: RegExp]> = [
    [
      "createMockContext",
      () => createMockContext(echo, { header: {} } as never),
      /createMockContext\(\) has no option "header"/,
    ],
    [
      "createMockContext, timeoutMs",
      () => createMockContext(echo, { timeoutMs: -1 }),
      /timeoutMs must be an integer from 0/,
    ],
    [
      "createTestCertificates",
      () => createTestCertificates({ hosts: [] } as never),
      /createTestCertificates\(\) has no option "hosts"/,
    ],
    [
      "createTestCertificates, names",
      () => createTestCertificates({ names: "localhost" as never }),
      /names must be an array, got "localhost"/,
    ],
    [
      "createTestCertificates, client",
      () => createTestCertificates({ client: { uri: "spiffe://a" } as never }),
      /client has no option "uri"; did you mean "uris"/,
    ],
    [
      "issue",
      async () => (await createTestCertificates()).issue({ expires: new Date() } as never),
      /issue\(\) has no option "expires"/,
    ],
    [
      "createTestJwt",
      () => createTestJwt({}, { key: "secret", expiresIn: 5 } as never),
      /createTestJwt\(\) has no option "expiresIn"; did you mean "expiresInSec"/,
    ],
    [
      "generateTestKeypair",
      () => generateTestKeypair({ keyId: "a" } as never),
      /generateTestKeypair\(\) has no option "keyId"/,
    ],
    [
      "createFakeClock",
      () => createFakeClock({ start: 5 } as never),
      /createFakeClock\(\) has no option "start"/,
    ],
    [
      "createFaultProxy",
      () => createFaultProxy({ port: 0 }),
      /port must be an integer from 1 to 65535, got 0/,
    ],
  ];
  for (const [name, attempt, message] of attempts) {
    test(name, async () => {
      await assert.rejects(async () => attempt(), { code: "INVALID_OPTION", message });
    });
  }

  test("the faults of a proxy", async () => {
    const proxy = await createFaultProxy({ port: 1 });
    try {
      assert.throws(() => proxy.delay(-1), /delay\(\) must be an integer from 0/);
      assert.throws(() => proxy.truncate(0.5), /truncate\(\) must be an integer from 0/);
    } finally {
      await proxy.close();
    }
  });
});

import type { CreateServerOptions } from "connectum/core";
import type {
  FakeClockOptions,
  FaultOptions,
  IssueOptions,
  MockContextOptions,
  TestCertificatesOptions,
  TestJwtOptions,
  TestKeypairOptions,
  TestServerOptions,
} from "connectum/testing";
import type { ParityOptions } from "connectum/testing/parity";
import type {
  ProtocolSuiteOptions,
  ResolverSuiteOptions,
  ServerContractOptions,
} from "connectum/testing/suites";
import type { Proofs, Within } from "./proof.ts";

const authHelpers = "test/testing/auth-helpers.test.ts";
const badParts = "test/testing/bad-parts.test.ts";
const faults = "test/testing/faults.test.ts";
const mocks = "test/testing/mocks.test.ts";
const testServer = "test/testing/test-server.test.ts";
const parityOptions = "test/testing/parity-options.test.ts";
const given = "transports, telemetry and compare are those it was given";

type OwnServerOption = Exclude<keyof TestServerOptions, keyof CreateServerOptions> | "services";
type Client = Exclude<TestCertificatesOptions["client"], undefined>;

export const testingOptions: Proofs<{
  createTestServer: OwnServerOption;
  createMockContext: keyof MockContextOptions;
  createFaultInterceptor: keyof FaultOptions;
  createFakeClock: keyof FakeClockOptions;
  createTestJwt: keyof TestJwtOptions;
  generateTestKeypair: keyof TestKeypairOptions;
  createTestCertificates: keyof TestCertificatesOptions | Within<"client", Client>;
  "certificates.issue": keyof IssueOptions;
  transportParityTest: Exclude<keyof ParityOptions, keyof TestServerOptions> | "interceptors";
  serverContractSuite: keyof ServerContractOptions;
  protocolSuite: keyof ProtocolSuiteOptions;
  resolverSuite: keyof ResolverSuiteOptions;
}> = {
  createTestServer: {
    services: [testServer, "client interceptors run on every transport"],
    t: [testServer, "ends with the test it is given"],
    clientTls: [testServer, "serves TLS, and mTLS with the client's certificate"],
    clientInterceptors: [testServer, "client interceptors run on every transport"],
  },
  createMockContext: {
    requestHeader: [mocks, "is a context of the method, with what it was given"],
    values: [mocks, "is a context of the method, with what it was given"],
    timeoutMs: [mocks, "is a context of the method, with what it was given"],
    signal: [mocks, "its signal follows the given one"],
    protocolName: [mocks, "came by gRPC and POST unless it is told otherwise"],
    requestMethod: [mocks, "came by gRPC and POST unless it is told otherwise"],
  },
  createFaultInterceptor: {
    delayMs: [faults, "delays calls"],
    errorCode: [faults, "fails calls with a code"],
    dropAfterMessages: [faults, "drops a stream after some messages"],
    probability: [faults, "meets the same calls for the same seed, and about the share asked for"],
    seed: [faults, "meets the same calls for the same seed, and about the share asked for"],
  },
  createFakeClock: {
    now: [
      "test/testing/fake-clock.test.ts",
      "time stands still until it is advanced, timers fire in order",
    ],
    t: [
      "test/testing/fake-clock.test.ts",
      "ends with the test it is given, unless it has ended before",
    ],
  },
  createTestJwt: {
    key: [authHelpers, "a secret signs HS256; a token can be expired or endless"],
    algorithm: [
      authHelpers,
      "algorithm and kid are named in the header, also those of a key that is only text",
    ],
    expiresInSec: [authHelpers, "a secret signs HS256; a token can be expired or endless"],
    kid: [
      authHelpers,
      "algorithm and kid are named in the header, also those of a key that is only text",
    ],
  },
  generateTestKeypair: {
    algorithm: [
      authHelpers,
      "algorithm and kid are named in the header, also those of a key that is only text",
    ],
    kid: [
      authHelpers,
      "algorithm and kid are named in the header, also those of a key that is only text",
    ],
  },
  createTestCertificates: {
    names: [
      "test/testing/certificates.test.ts",
      "names are those of the server, client those of the client",
    ],
    client: [
      "test/testing/certificates.test.ts",
      "names are those of the server, client those of the client",
    ],
    "client.name": [
      "test/testing/certificates.test.ts",
      "names are those of the server, client those of the client",
    ],
    "client.uris": [
      "test/testing/certificates.test.ts",
      "names are those of the server, client those of the client",
    ],
  },
  "certificates.issue": {
    name: ["test/testing/certificates.test.ts", "issue() takes names and a time of one's own"],
    names: ["test/testing/certificates.test.ts", "issue() takes names and a time of one's own"],
    uris: ["test/testing/certificates.test.ts", "issue() takes names and a time of one's own"],
    notBefore: ["test/testing/certificates.test.ts", "issue() takes names and a time of one's own"],
    notAfter: ["test/testing/certificates.test.ts", "issue() takes names and a time of one's own"],
  },
  transportParityTest: {
    interceptors: [parityOptions, "interceptors are those of the server"],
    timeoutMs: [
      "test/testing/parity-timeout.test.ts",
      "transportParityTest fails a scenario that takes longer than timeoutMs",
    ],
    transports: [parityOptions, given],
    telemetry: [parityOptions, given],
    scenario: ["test/testing/parity.test.ts", "all kinds of calls, answered"],
    compare: [parityOptions, given],
    expect: [parityOptions, "expect fails equal answers that are wrong"],
  },
  serverContractSuite: {
    name: [badParts, "a server of nothing, under the name it was given"],
  },
  protocolSuite: {
    services: [badParts, "a protocol that answers no path, beside the service it needs"],
    paths: [badParts, "a protocol that answers no path, beside the service it needs"],
  },
  resolverSuite: {
    known: [badParts, "a resolver that knows nothing"],
    unknown: [badParts, "a resolver that knows what it should not"],
  },
};

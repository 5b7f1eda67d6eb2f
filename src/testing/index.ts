export {
  assertConnectError,
  type ExpectedDetail,
  type ExpectedError,
} from "./assert-connect-error.ts";
export {
  type CollectedMetric,
  type CollectedPoint,
  InMemoryMetricCollector,
} from "./collectors/metric-collector.ts";
export { type CollectedSpan, InMemorySpanCollector } from "./collectors/span-collector.ts";
export { createFakeClock, type FakeClock, type FakeClockOptions } from "./fake-clock.ts";
export { createFaultInterceptor, type FaultOptions } from "./faults/fault-interceptor.ts";
export { createFaultProxy, type FaultProxy, type FaultProxyTarget } from "./faults/fault-proxy.ts";
export { createMockAuthContext, withAuthContext } from "./identities/mock-auth-context.ts";
export {
  type JwksFault,
  startTestJwksServer,
  type TestJwksServer,
} from "./identities/test-jwks-server.ts";
export { createTestJwt, type TestJwtOptions } from "./identities/test-jwt.ts";
export {
  generateTestKeypair,
  type TestJwtAlgorithm,
  type TestKeypair,
  type TestKeypairOptions,
} from "./identities/test-keypair.ts";
export { createLocalClient } from "./local-client.ts";
export { createMockContext, type MockContextOptions } from "./mock-context.ts";
export { mockResolver, mockService } from "./mock-service.ts";
export {
  createTestCertificates,
  type IssueOptions,
  type TestCertificates,
  type TestCertificatesOptions,
  type TestKeyPair,
} from "./test-certificates.ts";
export {
  createTestServer,
  type TestServer,
  type TestServerOptions,
  type TestTransports,
  withTestServer,
} from "./test-server.ts";

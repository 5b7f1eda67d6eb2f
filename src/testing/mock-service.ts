import type { DescService } from "@bufbuild/protobuf";
import type { Interceptor, ServiceImpl } from "@connectrpc/connect";
import {
  ConnectumError,
  createLocalTransport,
  createServer,
  defineService,
  type RemoteResolver,
  type ServiceDefinition,
} from "../core/index.ts";

/** A stand-in for a service: what `implementation` leaves out answers `unimplemented`. */
export function mockService<T extends DescService>(
  service: T,
  implementation: Partial<ServiceImpl<T>>,
): ServiceDefinition {
  return defineService(service, implementation);
}

/**
 * A resolver for `remoteResolver` that reaches these mocks and nothing else; unknown services resolve to
 * null. Every answer carries the header `x-connectum-mock: true`. Throws `INVALID_OPTION` for two mocks
 * of one service.
 */
export function mockResolver(mocks: readonly ServiceDefinition[]): RemoteResolver {
  const names = new Set<string>();
  for (const { descriptor } of mocks) {
    if (names.has(descriptor.typeName)) {
      throw new ConnectumError(
        "INVALID_OPTION",
        `mockResolver() takes one mock for each service, got two of ${descriptor.typeName}; merge them`,
      );
    }
    names.add(descriptor.typeName);
  }
  const transport = createLocalTransport(
    createServer({ services: mocks, interceptors: [markAnswers] }),
  );
  return ({ typeName }) => (names.has(typeName) ? transport : null);
}

const markAnswers: Interceptor = (next) => async (request) => {
  const response = await next(request);
  response.header.set("x-connectum-mock", "true");
  return response;
};

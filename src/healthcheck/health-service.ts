import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { Health } from "./gen/grpc/health/v1/health_pb.js";
import type { LatestValue } from "./latest-value.ts";
import type { ServerHealth } from "./server-health.ts";
import { ServingStatus } from "./status.ts";

/** `grpc.health.v1.Health` as one server answers it. */
export function createHealthService(
  health: ServerHealth,
  watchIntervalMs: number,
): ServiceImpl<typeof Health> {
  return {
    check({ service }) {
      const status = health.status(service);
      if (status === ServingStatus.SERVICE_UNKNOWN) {
        throw new ConnectError(`unknown service ${JSON.stringify(service)}`, Code.NotFound);
      }
      return { status };
    },
    list() {
      const statuses = [...health.statuses()].map(([name, status]) => [name, { status }]);
      return { statuses: Object.fromEntries(statuses) };
    },
    watch({ service }, { signal }) {
      return responses(health.watch(service, watchIntervalMs, signal));
    },
  };
}

/** Not a generator: the `return()` of one would wait for the next change. */
function responses(
  statuses: LatestValue<ServingStatus>,
): AsyncIterableIterator<{ status: ServingStatus }> {
  const toResponse = (result: IteratorResult<ServingStatus, undefined>) =>
    result.done ? result : { done: false, value: { status: result.value } };
  const iterator: AsyncIterableIterator<{ status: ServingStatus }> = {
    next: () => statuses.next().then(toResponse),
    return: () => statuses.return().then(toResponse),
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

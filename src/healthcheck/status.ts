/** What a service or a component can be, with the numbers of `grpc.health.v1`. */
export const ServingStatus = {
  /** Nothing is known yet; not served, as far as probes are concerned. */
  UNKNOWN: 0,
  SERVING: 1,
  NOT_SERVING: 2,
  /** The answer for a name nobody knows; cannot be set. */
  SERVICE_UNKNOWN: 3,
} as const;
export type ServingStatus = (typeof ServingStatus)[keyof typeof ServingStatus];

const names: ReadonlyMap<ServingStatus, string> = new Map([
  [ServingStatus.UNKNOWN, "UNKNOWN"],
  [ServingStatus.SERVING, "SERVING"],
  [ServingStatus.NOT_SERVING, "NOT_SERVING"],
  [ServingStatus.SERVICE_UNKNOWN, "SERVICE_UNKNOWN"],
]);

/** The name of a status as `grpc.health.v1` spells it. */
export function statusName(status: ServingStatus): string {
  return names.get(status) ?? "UNKNOWN";
}

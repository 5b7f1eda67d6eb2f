/** How long connections of either HTTP version live; in milliseconds, undefined is for ever. */
export interface ConnectionLifetime {
  readonly maxConnectionAgeMs: number | undefined;
  readonly maxConnectionAgeGraceMs: number | undefined;
  readonly maxConnectionIdleMs: number | undefined;
}

/** Spreads what would otherwise happen to many connections at once: plus or minus 10 %. */
export function withJitter(ms: number): number {
  return ms * (0.9 + Math.random() * 0.2);
}

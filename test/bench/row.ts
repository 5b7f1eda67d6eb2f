import type { Load } from "./loads.ts";
import type { Payloads } from "./payloads.ts";
import type { PeerSpec } from "./peer.ts";
import type { Spread } from "./statistics.ts";
import type { Tool } from "./tools.ts";
import type { Workspace } from "./workspace.ts";

/** One row of the table, measured once per Node version. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly needs: readonly Tool[];
  run(bench: Bench): Promise<RowResult>;
  /** What `--profile` starts and loads, by the name of the peer. */
  readonly contenders?: Readonly<Record<string, Contender>>;
}

export interface Contender {
  readonly peer: PeerSpec;
  readonly load: Load;
}

/** What a row measures with. */
export interface Bench {
  readonly node: string;
  readonly workspace: Workspace;
  readonly payloads: Payloads;
  readonly rounds: number;
  /** A round has this many short slices of each peer, interleaved, or fewer when its time is up. */
  readonly slices: number;
  readonly sliceSeconds: number;
  readonly maxRoundSeconds: number;
  readonly warmUpSeconds: number;
  readonly isQuick: boolean;
  /** A line about what is going on. */
  note(text: string): void;
}

export interface RowResult {
  readonly comparisons: readonly Comparison[];
  readonly figures: readonly Figure[];
}

/** A ratio, one per round, and what it must be. */
export interface Comparison {
  readonly what: string;
  readonly ratio: Spread;
  readonly rounds: readonly number[];
  readonly target?: Target;
}

export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** An absolute figure, which holds for this machine and moment only. */
export interface Figure {
  readonly what: string;
  readonly value: Spread;
  readonly unit: string;
}

export function isReached(target: Target, value: number): boolean {
  return "atLeast" in target ? value >= target.atLeast : value <= target.atMost;
}

import { Peer } from "./peer.ts";
import type { Bench, Comparison, Contender, Figure, Row, RowResult, Target } from "./row.ts";
import { shuffled, spreadOf } from "./statistics.ts";
import type { Tool } from "./tools.ts";

export interface ThroughputOptions {
  readonly id: string;
  readonly what: string;
  readonly needs: readonly Tool[];
  /** What is counted, such as `calls`. */
  readonly unit: string;
  readonly contenders: Contenders;
  /** Names of contenders: the first relative to the second. */
  readonly compare: ReadonlyArray<ThroughputComparison>;
}

type Contenders = Readonly<Record<string, Contender>>;

export interface ThroughputComparison {
  readonly of: string;
  readonly to: string;
  /** In speed, unless `isCost`: then in time per call. */
  readonly target?: Target;
  readonly isCost?: boolean;
}

interface Sample {
  /** Per second of the server's CPU time: what other work on the machine disturbs least. */
  readonly perCpuSecond: number;
  readonly perSecond: number;
}

/** Short slices of every contender in turn, so that what disturbs one disturbs all. */
type Round = ReadonlyMap<string, readonly Sample[]>;

/** A row that compares how much each contender gets done. */
export function throughputRow(options: ThroughputOptions): Row {
  const { id, what, needs, contenders } = options;
  return { id, what, needs, contenders, run: (bench) => runThroughput(options, bench) };
}

async function runThroughput(options: ThroughputOptions, bench: Bench): Promise<RowResult> {
  const { contenders, unit } = options;
  const rounds = await runRounds(contenders, bench);
  const spread = (name: string, key: keyof Sample) =>
    spreadOf(
      rounds.map((round) => spreadOf((round.get(name) ?? []).map((slice) => slice[key])).median),
    );
  return {
    comparisons: options.compare.map((comparison) => compare(comparison, rounds)),
    figures: Object.keys(contenders).flatMap((what): Figure[] => [
      { what, value: spread(what, "perCpuSecond"), unit: `${unit} per CPU second` },
      { what, value: spread(what, "perSecond"), unit: `${unit} per second` },
    ]),
  };
}

async function runRounds(contenders: Contenders, bench: Bench): Promise<Round[]> {
  const peers = new Map<string, Peer>();
  const rounds: Round[] = [];
  try {
    for (const [name, { peer, load }] of Object.entries(contenders)) {
      const started = await Peer.start(bench.node, bench.workspace.script(peer.script), peer);
      peers.set(name, started);
      await load.check?.(started);
      await warmUp(started, load, bench);
    }
    for (let number = 1; number <= bench.rounds; number++) {
      rounds.push(await runRound(contenders, peers, bench));
      bench.note(`round ${number} of ${bench.rounds}`);
    }
  } finally {
    for (const peer of peers.values()) await peer.stop();
  }
  return rounds;
}

/** Until the peer itself has worked long enough, which takes longer on a busy machine. */
async function warmUp(peer: Peer, load: Contender["load"], bench: Bench): Promise<void> {
  for (let time = 0; time < 5; time++) {
    await load.run(peer, bench.warmUpSeconds, bench.payloads);
    if ((await peer.usage()).cpuSeconds >= bench.warmUpSeconds) return;
  }
}

async function runRound(
  contenders: Contenders,
  peers: ReadonlyMap<string, Peer>,
  bench: Bench,
): Promise<Round> {
  const round = new Map<string, Sample[]>();
  for (const name of Object.keys(contenders)) round.set(name, []);
  const deadline = performance.now() + bench.maxRoundSeconds * 1000;
  for (let slice = 0; slice < bench.slices; slice++) {
    // On a machine that is busy with other things fewer slices must do.
    if (slice >= 3 && performance.now() > deadline) break;
    for (const [name, { load }] of shuffled(Object.entries(contenders))) {
      round.get(name)?.push(await measure(peers.get(name) as Peer, load, bench));
    }
  }
  return round;
}

async function measure(peer: Peer, load: Contender["load"], bench: Bench): Promise<Sample> {
  const before = await peer.usage();
  const { count, seconds } = await load.run(peer, bench.sliceSeconds, bench.payloads);
  const after = await peer.usage();
  return {
    perCpuSecond: count / (after.cpuSeconds - before.cpuSeconds),
    perSecond: count / seconds,
  };
}

/** One ratio per round: the median over its slices, each compared with the other's of the same moment. */
function compare(
  { of, to, target, isCost = false }: ThroughputComparison,
  allRounds: readonly Round[],
): Comparison {
  const rounds = allRounds.map((round) => {
    const theirs = round.get(to) ?? [];
    const ratios = (round.get(of) ?? []).map(
      (ours, slice) => ours.perCpuSecond / (theirs[slice] as Sample).perCpuSecond,
    );
    const speed = spreadOf(ratios).median;
    return isCost ? 1 / speed : speed;
  });
  const what = isCost ? `${of}: time of a call, ${to} = 1` : `${of} / ${to}`;
  return { what, ratio: spreadOf(rounds), rounds, target };
}

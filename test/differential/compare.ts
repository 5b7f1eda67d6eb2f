import { inspect } from "node:util";
import { intended } from "./intended.ts";
import type { Peer } from "./peer.ts";
import { type Facts, readAnswer } from "./read-answer.ts";
import type { WireRequest } from "./wire-request.ts";

/** One fact of an answer that the two servers do not share; undefined where it is absent. */
export interface Difference {
  readonly fact: string;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

export interface Comparison {
  readonly request: WireRequest;
  readonly ours: Facts;
  readonly theirs: Facts;
  /** Those that nothing in the list of intended differences explains. */
  readonly unexplained: readonly Difference[];
  /** Which intended differences were met. */
  readonly met: readonly string[];
}

/** Sends the same bytes to both and lays the answers side by side. */
export async function compare(request: WireRequest, us: Peer, oracle: Peer): Promise<Comparison> {
  const [ours, theirs] = await Promise.all([
    us.send(request).then(readAnswer),
    oracle.send({ ...request, ...request.forOracle }).then(readAnswer),
  ]);
  const facts = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  const unexplained: Difference[] = [];
  const met = new Set<string>();
  for (const fact of facts) {
    if (ours[fact] === theirs[fact]) continue;
    const difference = { fact, ours: ours[fact], theirs: theirs[fact] };
    const known = intended.find(
      ({ facts, when }) =>
        facts.test(fact) && (when?.(difference, { request, ours, theirs }) ?? true),
    );
    if (known) met.add(known.reason);
    else unexplained.push(difference);
  }
  return { request, ours, theirs, unexplained, met: [...met] };
}

/** A comparison that failed, for people. */
export function describe({ request, unexplained, ours, theirs }: Comparison): string {
  const { label, version, method, path, headers, body, cuts } = request;
  const lines = [
    label,
    `  ${method} ${path} HTTP/${version}`,
    ...headers.map(([name, value]) => `  ${name}: ${inspect(value)}`),
    `  body of ${body.byteLength} bytes, base64 ${body.subarray(0, 300).toString("base64")}${cuts?.length ? `, cut at ${cuts}` : ""}`,
  ];
  for (const { fact, ours, theirs } of unexplained) {
    lines.push(`  ${fact}`, `    ours   ${show(ours)}`, `    oracle ${show(theirs)}`);
  }
  const common = Object.keys(ours).filter((fact) => ours[fact] === theirs[fact]);
  lines.push(`  alike: ${common.map((fact) => `${fact} ${show(ours[fact])}`).join("; ")}`);
  return lines.join("\n");
}

function show(value: string | undefined): string {
  if (value === undefined) return "(absent)";
  return inspect(value.length > 200 ? `${value.slice(0, 200)}…` : value);
}

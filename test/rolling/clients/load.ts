import { setTimeout as sleep } from "node:timers/promises";
import { streamMessages } from "../service.ts";
import { type Caller, NeverSentError } from "./caller.ts";

/** What a client process prints as its last line. */
export interface LoadReport {
  readonly calls: number;
  /** Calls the server could have answered, and did not. */
  readonly failed: number;
  /** Calls the client itself refused; see {@link NeverSentError}. */
  readonly neverSent: number;
  /** The first failures, and the first calls that were never sent. */
  readonly failures: ReadonlyArray<{ readonly at: number; readonly text: string }>;
  /** How many calls each replica answered, by its name. */
  readonly answered: Readonly<Record<string, number>>;
}

const UNARY_LOOPS = 4;
const STREAM_LOOPS = 2;
const KEPT_FAILURES = 50;

export interface LoadOptions {
  /** Longest pause between a call and the next one of its loop; 0 is none. */
  readonly maxPauseMs: number;
  readonly isOver: () => boolean;
  readonly onFirstAnswers: () => void;
}

/** Calls until `isOver`, several at once, and never tries a failed call again. */
export async function runLoad(
  caller: Caller,
  { maxPauseMs, isOver, onFirstAnswers }: LoadOptions,
): Promise<LoadReport> {
  const failures: Array<{ at: number; text: string }> = [];
  const answered: Record<string, number> = {};
  let calls = 0;
  let failed = 0;
  let neverSent = 0;

  const loop = async (call: () => Promise<string>) => {
    while (!isOver()) {
      const startedAt = Date.now();
      calls++;
      try {
        const replica = await call();
        answered[replica] = (answered[replica] ?? 0) + 1;
      } catch (error) {
        if (error instanceof NeverSentError) neverSent++;
        else failed++;
        const at = Date.now();
        const text = `${call.name} after ${at - startedAt} ms: ${textOf(error)}`;
        if (failures.length < KEPT_FAILURES) failures.push({ at, text });
      }
      if (maxPauseMs > 0) await sleep(Math.random() * maxPauseMs);
    }
  };
  const unary = async () => replicaOf(await caller.unary("Ada"), "Ada");
  const stream = () => readStream(caller.stream("Ada"));

  await Promise.all([unary(), stream()]);
  onFirstAnswers();
  await Promise.all([
    ...Array.from({ length: UNARY_LOOPS }, () => loop(unary)),
    ...Array.from({ length: STREAM_LOOPS }, () => loop(stream)),
  ]);
  return { calls, failed, neverSent, failures, answered };
}

/** Throws when a message is missing, doubled or out of order, or came from another replica. */
async function readStream(greetings: AsyncIterable<string>): Promise<string> {
  let replica: string | undefined;
  let count = 0;
  for await (const greeting of greetings) {
    const sender = replicaOf(greeting, String(count));
    replica ??= sender;
    if (sender !== replica) throw new Error(`a stream of ${replica} continued on ${sender}`);
    count++;
  }
  if (count !== streamMessages) throw new Error(`a stream ended after ${count} messages`);
  return replica ?? "";
}

function replicaOf(greeting: string, expected: string): string {
  const [replica = "", rest] = greeting.split(" ");
  if (rest !== expected) throw new Error(`expected "${expected}", got "${greeting}"`);
  return replica;
}

/** The message of an error and those of its causes. */
function textOf(error: unknown): string {
  const messages: string[] = [];
  for (let at = error; at instanceof Error && messages.length < 4; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    messages.push(typeof code === "string" ? `${at.message} (${code})` : at.message);
  }
  return messages.join(" <- ") || String(error);
}

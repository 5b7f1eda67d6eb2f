import { type Draft, render } from "./draft.ts";
import { generateFault } from "./faults.ts";
import type { Random } from "./random.ts";
import { generateScriptedMessage, type MethodName, methodNames } from "./script-messages.ts";
import type { Fields, WireRequest } from "./wire-request.ts";

const protocols = ["connect", "get", "grpc", "grpc-web", "grpc-web-text"] as const;

/** Share of requests with a fault; each has one, because which of two is found first says little. */
const FAULTY = 0.4;

/** Any request a client could send: a right one, or one with a single fault. */
export function generateRequest(random: Random): WireRequest {
  if (!random.chance(FAULTY)) return render(random, generateDraft(random, methodNames));
  // Nobody's answer is an error, and so would be a fault of its own.
  const draft = generateDraft(random, methodNames.slice(0, -1));
  return generateFault(random, draft);
}

function generateDraft(random: Random, names: readonly MethodName[]): Draft {
  const protocol = random.pick(protocols);
  const version = protocol === "grpc" && random.chance(0.8) ? 2 : random.pick([1, 2]);
  const name = protocol === "get" ? "Look" : random.pick(names);
  const codec = protocol === "grpc-web-text" ? "proto" : random.pick(["proto", "json"]);
  const isWaiting = name !== "Nobody" && random.chance(0.02);
  const count = name === "Upload" || name === "Talk" ? random.integer(isWaiting ? 1 : 0, 4) : 1;
  return {
    protocol,
    version,
    name,
    codec,
    messages: random.list(count, count, () => generateScriptedMessage(random, isWaiting)),
    encoding: random.chance(0.5) ? undefined : random.pick(["gzip", "br", "identity"]),
    accept: random.chance(0.6) ? undefined : random.pick(acceptLists),
    timeout: isWaiting ? shortTimeout(random, protocol) : generateTimeout(random, protocol),
    extras: [...generateExtras(random, protocol)],
  };
}

const acceptLists = ["gzip", "br", "br, gzip", "identity", "snappy,gzip", "snappy", " br "];

/** In a unit that fits; only whole minutes, so that both servers report the same. */
function generateTimeout(random: Random, protocol: string): string | undefined {
  if (random.chance(0.6)) return undefined;
  const minutes = random.integer(2, 60);
  if (protocol === "connect" || protocol === "get") return String(minutes * 60_000);
  return random.pick([`${minutes}M`, `${minutes * 60}S`, `${minutes * 60_000}m`]);
}

function shortTimeout(random: Random, protocol: string): string {
  const milliseconds = random.integer(5, 40);
  return protocol === "connect" || protocol === "get" ? `${milliseconds}` : `${milliseconds}m`;
}

const values = ["a", "a b", "a, b", "=?", "AQID", "AQID,BA", "é", "%20"];

function generateExtras(random: Random, protocol: string): Fields {
  const extras: Array<[string, string]> = [];
  if (random.chance(0.5)) extras.push(["user-agent", "differential/1"]);
  if (protocol === "grpc" && random.chance(0.7)) extras.push(["te", "trailers"]);
  if (protocol.startsWith("grpc-web") && random.chance(0.5)) extras.push(["x-grpc-web", "1"]);
  if (protocol === "connect" && random.chance(0.6)) extras.push(["connect-protocol-version", "1"]);
  for (const name of random.list(0, 2, () => random.pick(["x-one", "x-two", "x-bin", "x-one"]))) {
    extras.push([name, random.pick(values)]);
  }
  return extras;
}

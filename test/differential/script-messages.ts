import { create, type MessageInitShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import {
  type ContentSchema,
  type FieldSchema,
  Mood,
  type ScriptSchema,
  ScriptService,
} from "../gen/connectum/script/v1/script_pb.js";
import type { Random } from "./random.ts";

export const methodNames = ["Once", "Look", "Download", "Upload", "Talk", "Nobody"] as const;
export type MethodName = (typeof methodNames)[number];

export interface ScriptedMessage {
  script?: MessageInitShape<typeof ScriptSchema>;
  content?: MessageInitShape<typeof ContentSchema>;
}

/** The bytes of a request; `Nobody` takes none of it. */
export function encodeRequest(
  name: MethodName,
  codec: "proto" | "json",
  init: ScriptedMessage,
): Buffer {
  const { input } = ScriptService.methods.find((method) => method.name === name) ?? {};
  if (!input) throw new Error(`no method ${name}`);
  const message = create(input, name === "Nobody" ? {} : { ...init });
  return codec === "proto"
    ? Buffer.from(toBinary(input, message))
    : Buffer.from(toJsonString(input, message));
}

/** A script that waits for its deadline does nothing else: whether it came to it would be chance. */
export function generateScriptedMessage(random: Random, isWaiting: boolean): ScriptedMessage {
  if (isWaiting) return { script: { isWaiting } };
  if (random.chance(0.05)) return {};
  const script = {
    headers: random.chance(0.3) ? generateFields(random, "x-head") : [],
    trailers: random.chance(0.3) ? generateFields(random, "x-tail") : [],
    count: random.integer(0, 4),
    size: random.pick([0, 0, 0, 10, 255, 256, 3000, 20_000]),
    failure: random.chance(0.3) ? generateFailure(random) : undefined,
    isReporting: random.chance(0.6),
  };
  return { script, content: random.chance(0.8) ? generateContent(random) : undefined };
}

const figures: ReadonlyArray<Record<string, number>> = [
  {},
  { a: 1.5, b: Number.NaN },
  { "": Number.NEGATIVE_INFINITY },
];

function generateContent(random: Random): ScriptedMessage["content"] {
  return {
    text: random.text(),
    // All zero: some bodies are over the limit only once they are inflated.
    payload: new Uint8Array(random.pick([0, 0, 5, 300, 5_000, 20_000, 200_000])),
    number: random.pick([0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]),
    mood: random.pick([Mood.UNSPECIFIED, Mood.GOOD, 77 as Mood]),
    figures: random.pick(figures),
  };
}

function generateFailure(random: Random) {
  return {
    code: random.integer(1, 16),
    message: `scripted ${random.text()}`,
    metadata: random.chance(0.3) ? generateFields(random, "x-error") : [],
    details: random.list(0, 2, () => random.text()),
    isPlain: random.chance(0.2),
  };
}

const values = ["", "a", "a, b", "=", "AQID", "AQID, BA", "%20", "é", '"quoted; x=y"'];

function generateFields(
  random: Random,
  prefix: string,
): Array<MessageInitShape<typeof FieldSchema>> {
  const names = [prefix, `${prefix}-more`, `${prefix}-bin`, prefix.toUpperCase()];
  return random.list(1, 3, () => ({ name: random.pick(names), value: random.pick(values) }));
}

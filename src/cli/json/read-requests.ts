import { readFileSync } from "node:fs";
import {
  type DescMessage,
  fromJson,
  type JsonValue,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { nearest } from "../../core/internal.ts";
import { CliError, codeOf, ExitCode, messageOf, usageError } from "../cli-error.ts";
import { JsonSplitter, type JsonText, positionIn } from "./json-splitter.ts";
import { JsonSyntaxError, parseJson } from "./parse-json.ts";

/** Finds types that a request names in an `Any`. */
export type LoadType = (typeName: string) => Promise<Registry | undefined>;

export interface RequestSource {
  /** What `-d` says: JSON, `@file`, `-` for standard input; undefined for nothing. */
  readonly data: string | undefined;
  readonly message: DescMessage;
  readonly registry: Registry;
  readonly loadType: LoadType;
}

/**
 * Request messages as they arrive. Throws a usage error with line and column for text that is no
 * JSON, and with the nearest field name for JSON that is not the message.
 */
export async function* readRequests(source: RequestSource): AsyncGenerator<Message> {
  let index = 0;
  for await (const text of readTexts(source.data)) {
    index++;
    yield await decode(text, index, source);
  }
}

async function* readTexts(data: string | undefined): AsyncGenerator<JsonText> {
  if (data === undefined) return;
  const splitter = new JsonSplitter();
  if (data === "-") {
    process.stdin.setEncoding("utf8");
    for await (const chunk of process.stdin) yield* splitter.push(chunk);
  } else {
    yield* splitter.push(data.startsWith("@") ? readData(data.slice(1)) : data);
  }
  yield* splitter.end();
}

function readData(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw usageError(`-d @${path}: cannot read the file (${codeOf(error)})`);
  }
}

async function decode(text: JsonText, index: number, source: RequestSource): Promise<Message> {
  const json = parse(text, index);
  let { registry } = source;
  for (;;) {
    try {
      return fromJson(source.message, json, { registry });
    } catch (error) {
      const unknown = unknownAnyType(error);
      const wider = unknown === undefined ? undefined : await source.loadType(unknown);
      if (wider === undefined || wider === registry) throw mismatch(error, index, source.message);
      registry = wider;
    }
  }
}

function parse({ text, line, column }: JsonText, index: number): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const at = positionIn(text, error.offset, line, column);
    throw new CliError(
      `request ${index} is no JSON: line ${at.line}, column ${at.column}: ${error.message}`,
      { exitCode: ExitCode.USAGE, notes: pointAt(text, error.offset), cause: error },
    );
  }
}

/** The line of the mistake with a mark below it. */
function pointAt(text: string, offset: number): string[] {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  const [line = ""] = text.slice(lineStart).split("\n");
  const column = offset - lineStart;
  const shown = Math.max(0, column - 50);
  return [`  ${line.slice(shown, shown + 70)}`, `  ${" ".repeat(column - shown)}^`];
}

/** protobuf-es tells the type an `Any` names and the registry lacks in its message only. */
export function unknownAnyType(error: unknown): string | undefined {
  const message = messageOf(error);
  if (!message.includes("google.protobuf.Any")) return undefined;
  return /"?(?:[\w.-]+\/)([\w.]+)"? is not in the type registry/.exec(message)?.[1];
}

function mismatch(cause: unknown, index: number, message: DescMessage): CliError {
  const [, key] = /key "(.+)" is unknown/.exec(messageOf(cause)) ?? [];
  const names = message.fields.map(({ jsonName }) => jsonName);
  const suggestion = key === undefined ? undefined : nearest(key, names);
  return new CliError(`request ${index} does not fit: ${messageOf(cause)}`, {
    exitCode: ExitCode.USAGE,
    hint: suggestion === undefined ? undefined : `did you mean "${suggestion}"?`,
    cause,
  });
}

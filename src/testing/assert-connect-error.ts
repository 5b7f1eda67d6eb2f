import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import { create, type DescMessage, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

/** One detail that an error must carry. */
export interface ExpectedDetail<T extends DescMessage = DescMessage> {
  readonly desc: T;
  readonly value: MessageInitShape<T>;
}

export interface ExpectedError {
  /** The message without the code in brackets: the whole text, or a pattern. */
  readonly message?: string | RegExp;
  /** All details, in their order. */
  readonly details?: readonly ExpectedDetail[];
  /** Fields that must be there with these values; others may be. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Asserts that something is, or a promise rejects with, a `ConnectError` of this code, and of this
 * message, details and metadata where they are given. Returns the error. The `AssertionError` shows what
 * is expected beside what came.
 */
export function assertConnectError(
  promise: PromiseLike<unknown>,
  code: Code,
  expected?: ExpectedError,
): Promise<ConnectError>;
export function assertConnectError(
  error: unknown,
  code: Code,
  expected?: ExpectedError,
): ConnectError;
export function assertConnectError(
  subject: unknown,
  code: Code,
  expected: ExpectedError = {},
): ConnectError | Promise<ConnectError> {
  if (!isPromise(subject)) return check(subject, code, expected);
  return Promise.resolve(subject).then(
    (value) => {
      throw new AssertionError({
        message: `expected a rejection with ${Code[code]}, but the promise resolved to ${String(value)}`,
        actual: value,
        expected: Code[code],
        stackStartFn: assertConnectError,
      });
    },
    (error) => check(error, code, expected),
  );
}

function check(error: unknown, code: Code, expected: ExpectedError): ConnectError {
  if (!(error instanceof ConnectError)) {
    throw new AssertionError({
      message: `expected a ConnectError ${Code[code]}, got ${String(error)}`,
      actual: error,
      expected: Code[code],
      stackStartFn: assertConnectError,
    });
  }
  const { message, details, metadata } = expected;
  const wanted: Record<string, unknown> = { code: Code[code] };
  const got: Record<string, unknown> = { code: Code[error.code] };
  if (message !== undefined) {
    got.message = error.rawMessage;
    // A pattern that matches counts as what it matched, so that the diff shows only what is wrong.
    const matches = message instanceof RegExp && message.test(error.rawMessage);
    wanted.message = matches ? error.rawMessage : message;
  }
  if (details) {
    wanted.details = details.map(({ desc, value }) => shownDetail(desc, create(desc, value)));
    got.details = shownDetails(error, details);
  }
  if (metadata) {
    wanted.metadata = metadata;
    got.metadata = Object.fromEntries(
      Object.keys(metadata).map((name) => [name, error.metadata.get(name) ?? undefined]),
    );
  }
  if (isDeepStrictEqual(got, wanted)) return error;
  throw new AssertionError({
    actual: got,
    expected: wanted,
    operator: "deepStrictEqual",
    stackStartFn: assertConnectError,
  });
}

/** Details of expected types as JSON; of other types only the name is known. */
function shownDetails(error: ConnectError, expected: readonly ExpectedDetail[]): unknown[] {
  const descs = new Map(expected.map(({ desc }) => [desc.typeName, desc]));
  return error.details.map((detail) => {
    const typeName = "type" in detail ? detail.type : detail.desc.typeName;
    const desc = descs.get(typeName);
    if (!desc) return { type: typeName };
    const alone = new ConnectError("");
    alone.details = [detail];
    const [message] = alone.findDetails(desc);
    return message ? shownDetail(desc, message) : { type: typeName };
  });
}

function shownDetail(desc: DescMessage, message: Parameters<typeof toJson>[1]) {
  return { type: desc.typeName, value: toJson(desc, message) };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

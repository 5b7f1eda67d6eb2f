import {
  createRegistry,
  fromBinary,
  type JsonValue,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { CliError } from "../cli-error.ts";
import type { Connection } from "./connection.ts";
import { explainFailure } from "./explain-failure.ts";
import { violationNotes } from "./violation-notes.ts";

/** Types services attach to errors that their own schema need not name; read when there are details. */
async function detailTypes(): Promise<Registry> {
  const { file_google_rpc_error_details } = await import("../gen/google/rpc/error_details_pb.js");
  const { file_buf_validate_validate } = await import(
    "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js"
  );
  return createRegistry(file_google_rpc_error_details, file_buf_validate_validate);
}

export interface DecodedDetail {
  readonly type: string;
  /** Absent when the type is not known here or to the server. */
  readonly value?: JsonValue;
  /** The bytes in base64, when they could not be decoded. */
  readonly bytes?: string;
}

/** Finds a type in the schema of the server. */
export type FindTypes = (typeName: string) => Promise<Registry | undefined>;

/** The name of a code as Connect writes it: `invalid_argument`. */
export function codeName(code: Code): string {
  return (Code[code] ?? String(code)).replace(/(?<!^)[A-Z]/g, "_$&").toLowerCase();
}

/** Runs `call`; what fails becomes one line with code and message, details below it, and a hint. */
export async function reportingErrors<T>(
  connection: Connection,
  call: () => Promise<T>,
  findTypes: FindTypes = async () => undefined,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof CliError) throw error;
    const unreachable = await explainFailure(error, connection.target);
    if (unreachable) throw unreachable;
    if (!(error instanceof ConnectError)) throw error;
    const details = await decodeDetails(error, findTypes);
    throw new RpcFailure(error, details);
  }
}

/** The error answer of a server. */
export class RpcFailure extends CliError {
  readonly json: JsonValue;

  constructor(error: ConnectError, details: readonly DecodedDetail[]) {
    super(`${codeName(error.code)}: ${error.rawMessage || "(no message)"}`, {
      notes: details.flatMap(notesOf),
      hint: hintFor(error.code),
      cause: error,
    });
    this.json = {
      code: codeName(error.code),
      message: error.rawMessage,
      details: details.map((detail) => ({ ...detail })) as JsonValue[],
    };
  }
}

/** A detail on one line; of validation one line for each rule that was broken. */
function notesOf({ type, value, bytes }: DecodedDetail): string[] {
  if (value === undefined) return [`  ${type} (base64) ${bytes}`];
  if (type === "buf.validate.Violations") {
    return violationNotes(value).map((note) => `  ${type} ${note}`);
  }
  return [`  ${type} ${JSON.stringify(value)}`];
}

async function decodeDetails(error: ConnectError, findTypes: FindTypes): Promise<DecodedDetail[]> {
  if (error.details.length === 0) return [];
  const known = await detailTypes();
  const decoded: DecodedDetail[] = [];
  for (const detail of error.details) {
    if (!("type" in detail)) continue;
    const { type, value } = detail;
    const registry = known.getMessage(type) ? known : await findQuietly(findTypes, type);
    const bytes = Buffer.from(value).toString("base64");
    const schema = registry?.getMessage(type);
    try {
      decoded.push(
        schema
          ? {
              type,
              value: toJson(schema, fromBinary(schema, value), { registry: registry as Registry }),
            }
          : { type, bytes },
      );
    } catch {
      decoded.push({ type, bytes });
    }
  }
  return decoded;
}

/** A failure to find a type must not hide the error that carries it. */
async function findQuietly(findTypes: FindTypes, type: string): Promise<Registry | undefined> {
  try {
    return await findTypes(type);
  } catch {
    return undefined;
  }
}

function hintFor(code: Code): string | undefined {
  switch (code) {
    case Code.Unauthenticated:
      return 'send credentials with -H "authorization: Bearer <token>"';
    case Code.Unimplemented:
      return "see what the server has: connectum list <url>";
    default:
      return undefined;
  }
}

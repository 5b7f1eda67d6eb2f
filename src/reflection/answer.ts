import { Code } from "@connectrpc/connect";
import type * as v1 from "./gen/grpc/reflection/v1/reflection_pb.js";
import type * as v1alpha from "./gen/grpc/reflection/v1alpha/reflection_pb.js";
import type { Schema, SchemaFile } from "./schema.ts";

/** A request of either version; they differ in nothing but their type names. */
export type ReflectionRequest = v1.ServerReflectionRequest | v1alpha.ServerReflectionRequest;

/** The `message_response` of either version. */
export type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | {
      case: "allExtensionNumbersResponse";
      value: { baseTypeName: string; extensionNumber: number[] };
    }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: Code; errorMessage: string } };

/**
 * Answers one request. What is unknown is an answer too, so that the stream can go on. `sent` are
 * the names of the files this stream has carried; the call adds those it sends.
 */
export function answer(
  { messageRequest }: ReflectionRequest,
  schema: Schema,
  serviceNames: readonly string[],
  sent: Set<string>,
): Answer {
  switch (messageRequest.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: serviceNames.map((name) => ({ name })) },
      };
    case "fileByFilename": {
      const name = messageRequest.value;
      return fileAnswer(schema.file(name), schema, sent) ?? notFound(`file ${name}`);
    }
    case "fileContainingSymbol": {
      const name = messageRequest.value;
      return fileAnswer(schema.fileOfSymbol(name), schema, sent) ?? notFound(`symbol ${name}`);
    }
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = messageRequest.value;
      return (
        fileAnswer(schema.fileOfExtension(containingType, extensionNumber), schema, sent) ??
        notFound(`extension ${extensionNumber} of ${containingType}`)
      );
    }
    case "allExtensionNumbersOfType": {
      const baseTypeName = messageRequest.value;
      const extensionNumber = schema.extensionNumbers(baseTypeName);
      if (!extensionNumber) return notFound(`message ${baseTypeName}`);
      return { case: "allExtensionNumbersResponse", value: { baseTypeName, extensionNumber } };
    }
    default:
      return failure(Code.Unimplemented, "the request asks nothing this server knows to answer");
  }
}

/**
 * The file, then the imports the stream has not carried yet. The file itself goes out even if it has
 * been sent: protoreflect (grpcurl, buf) takes the first file of a response as the answer and fails
 * on an empty one.
 */
function fileAnswer(
  requested: SchemaFile | undefined,
  schema: Schema,
  sent: Set<string>,
): Answer | undefined {
  if (!requested) return undefined;
  const queue = [requested];
  sent.add(requested.proto.name);
  for (const { proto } of queue) {
    for (const name of proto.dependency) {
      const dependency = schema.file(name);
      if (!dependency || sent.has(name)) continue;
      sent.add(name);
      queue.push(dependency);
    }
  }
  const fileDescriptorProto = queue.map(({ bytes }) => bytes);
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function notFound(what: string): Answer {
  return failure(Code.NotFound, `${what} not found`);
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

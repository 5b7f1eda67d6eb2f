import type { MessageInitShape } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createClient, type Transport } from "@connectrpc/connect";
import * as v1 from "../../src/reflection/gen/grpc/reflection/v1/reflection_pb.js";
import * as v1alpha from "../../src/reflection/gen/grpc/reflection/v1alpha/reflection_pb.js";

/** Both versions under one type: they differ in nothing but their type names. */
export const versions = {
  v1: v1.ServerReflection,
  v1alpha: v1alpha.ServerReflection as unknown as typeof v1.ServerReflection,
};

export type Question = NonNullable<
  MessageInitShape<typeof v1.ServerReflectionRequestSchema>["messageRequest"]
>;
export type Response = v1.ServerReflectionResponse;

/** Asks all questions on one stream and returns the responses, in order. */
export async function ask(
  transport: Transport,
  questions: readonly Question[],
  service = versions.v1,
): Promise<Response[]> {
  async function* requests() {
    for (const messageRequest of questions) yield { host: "test.example", messageRequest };
  }
  const responses: Response[] = [];
  const client = createClient(service, transport);
  for await (const response of client.serverReflectionInfo(requests())) responses.push(response);
  return responses;
}

/** The sorted names of `list_services`. */
export async function listServices(transport: Transport, service = versions.v1) {
  const [response] = await ask(transport, [{ case: "listServices", value: "" }], service);
  if (response?.messageResponse.case !== "listServicesResponse") throw new Error("no list");
  return response.messageResponse.value.service.map(({ name }) => name);
}

/** One response in short: the names of its files, its numbers, or its error code. */
export function brief({ messageResponse }: Response): string | number[] | string[] {
  switch (messageResponse.case) {
    case "fileDescriptorResponse":
      return filesOf(messageResponse.value).map(({ name }) => name);
    case "allExtensionNumbersResponse":
      return messageResponse.value.extensionNumber;
    case "errorResponse":
      return `error ${messageResponse.value.errorCode}: ${messageResponse.value.errorMessage}`;
    default:
      return messageResponse.case ?? "nothing";
  }
}

export function filesOf({ fileDescriptorProto }: v1.FileDescriptorResponse) {
  return fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

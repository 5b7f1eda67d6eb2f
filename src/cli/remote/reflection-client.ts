import { create, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { ServerReflection, ServerReflectionV1Alpha } from "../../reflection/index.ts";
import { CliError } from "../cli-error.ts";

const { input: RequestSchema } = ServerReflection.method.serverReflectionInfo;

type ServerReflectionRequest = MessageShape<typeof RequestSchema>;
type ServerReflectionResponse = MessageShape<
  typeof ServerReflection.method.serverReflectionInfo.output
>;
type Question = ServerReflectionRequest["messageRequest"];
type Answer = ServerReflectionResponse["messageResponse"];

/** How long a server may take for its first answer. */
const FIRST_ANSWER_TIMEOUT_MS = 10_000;

/** How long a server may take to end a stream that has no more questions. */
const END_TIMEOUT_MS = 500;

/** One reflection stream: asks v1, and v1alpha if the server does not have that. */
export class ReflectionClient {
  readonly #transport: Transport;
  #stream: QuestionStream | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async listServices(): Promise<string[]> {
    const answer = await this.#ask({ case: "listServices", value: "*" });
    if (answer.case !== "listServicesResponse") throw unexpected(answer);
    return answer.value.service.map(({ name }) => name).sort();
  }

  /** The file that declares a symbol and those it imports; undefined if the server has no such symbol. */
  filesOfSymbol(symbol: string): Promise<FileDescriptorProto[] | undefined> {
    return this.#files({ case: "fileContainingSymbol", value: symbol });
  }

  filesByName(name: string): Promise<FileDescriptorProto[] | undefined> {
    return this.#files({ case: "fileByFilename", value: name });
  }

  filesOfExtension(typeName: string, number: number): Promise<FileDescriptorProto[] | undefined> {
    const value = { containingType: typeName, extensionNumber: number };
    return this.#files({ case: "fileContainingExtension", value } as Question);
  }

  /** Numbers of the extensions of a message; empty when the server knows none. */
  async extensionNumbers(typeName: string): Promise<readonly number[]> {
    const answer = await this.#ask({ case: "allExtensionNumbersOfType", value: typeName });
    return answer.case === "allExtensionNumbersResponse" ? answer.value.extensionNumber : [];
  }

  async close(): Promise<void> {
    await this.#stream?.close();
  }

  async #files(question: Question): Promise<FileDescriptorProto[] | undefined> {
    const answer = await this.#ask(question);
    if (answer.case === "errorResponse" && answer.value.errorCode === Code.NotFound) {
      return undefined;
    }
    if (answer.case !== "fileDescriptorResponse") throw unexpected(answer);
    return answer.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
  }

  async #ask(messageRequest: Question): Promise<Answer> {
    const request = create(RequestSchema, { messageRequest });
    if (this.#stream) return this.#stream.ask(request);
    try {
      return await this.#open(ServerReflection, request);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    try {
      // The two versions differ in their package name alone.
      const service = ServerReflectionV1Alpha as unknown as typeof ServerReflection;
      return await this.#open(service, request);
    } catch (error) {
      if (!isMissing(error)) throw error;
      throw new CliError("the server has no reflection", {
        hint: "add Reflection() of connectum/reflection to its protocols",
        cause: error,
      });
    }
  }

  async #open(service: typeof ServerReflection, request: ServerReflectionRequest): Promise<Answer> {
    const stream = new QuestionStream(this.#transport, service);
    const answer = await stream.askFirst(request);
    this.#stream = stream;
    return answer;
  }
}

class QuestionStream {
  readonly #abort = new AbortController();
  readonly #answers: AsyncIterator<ServerReflectionResponse>;
  #deliver: ((request: IteratorResult<ServerReflectionRequest>) => void) | undefined;
  #next: ServerReflectionRequest | undefined;

  constructor(transport: Transport, service: typeof ServerReflection) {
    const client = createClient(service, transport);
    this.#answers = client
      .serverReflectionInfo(this.#questions(), { signal: this.#abort.signal })
      [Symbol.asyncIterator]();
  }

  async askFirst(request: ServerReflectionRequest): Promise<Answer> {
    const timer = setTimeout(() => {
      const seconds = FIRST_ANSWER_TIMEOUT_MS / 1_000;
      this.#abort.abort(
        new ConnectError(`the server did not answer within ${seconds} s`, Code.DeadlineExceeded),
      );
    }, FIRST_ANSWER_TIMEOUT_MS);
    try {
      return await this.ask(request);
    } finally {
      clearTimeout(timer);
    }
  }

  /** One question at a time. */
  async ask(request: ServerReflectionRequest): Promise<Answer> {
    if (this.#deliver) this.#deliver({ done: false, value: request });
    else this.#next = request;
    this.#deliver = undefined;
    const { done, value } = await this.#answers.next();
    if (done) throw new CliError("the server ended the reflection stream without an answer");
    return value.messageResponse;
  }

  /** Ends the stream as one that has all it wanted: the server need not take it for cancelled. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#abort.abort(), END_TIMEOUT_MS);
    if (this.#deliver) this.#deliver({ done: true, value: undefined });
    else this.#abort.abort();
    await this.#answers.next().catch(() => {});
    clearTimeout(timer);
  }

  #questions(): AsyncIterable<ServerReflectionRequest> {
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          const value = this.#next;
          this.#next = undefined;
          if (value) return Promise.resolve({ done: false, value });
          return new Promise((resolve) => {
            this.#deliver = resolve;
          });
        },
        // connect-es wants one it can pass its own errors to.
        throw: (error) => Promise.reject(error),
      }),
    };
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unimplemented;
}

function unexpected(answer: Answer): CliError {
  if (answer.case !== "errorResponse") {
    return new CliError(`the server's reflection answered with "${answer.case}", out of turn`);
  }
  const { errorCode, errorMessage } = answer.value;
  return new CliError(`the server's reflection failed: ${errorMessage} (code ${errorCode})`);
}

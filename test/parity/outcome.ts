import { toJson } from "@bufbuild/protobuf";
import { ContentSchema } from "../gen/connectum/script/v1/script_pb.js";

/** A promise's end. What a `ConnectError` says is compared by the driver, what caused it is not. */
export async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await promise };
  } catch (error) {
    const { cause } = error as Error;
    return { error, cause: cause === undefined ? undefined : String(cause) };
  }
}

/** The headers an application sent; protocols add their own, of which two of gRPC-Web look like it. */
export function own(headers: Headers): Array<[string, string]> {
  return [...headers].filter(
    ([name]) => name.startsWith("x-") && name !== "x-grpc-web" && name !== "x-user-agent",
  );
}

/** The content of a message as JSON. */
export function shown(message: { content?: unknown }): unknown {
  return message.content === undefined
    ? undefined
    : toJson(ContentSchema, message.content as never);
}

/** All messages of a stream, and how it ended. */
export async function drain(messages: AsyncIterable<{ content?: unknown }>): Promise<unknown> {
  const received: unknown[] = [];
  const end = await outcomeOf(
    (async () => {
      for await (const message of messages) received.push(shown(message));
    })(),
  );
  return { received, end };
}

/** Call options that put down the headers and trailers of the answer. */
export function recording() {
  const answer: { header?: unknown; trailer?: unknown } = {};
  const options = {
    onHeader: (header: Headers) => {
      answer.header = own(header);
    },
    onTrailer: (trailer: Headers) => {
      answer.trailer = own(trailer);
    },
  };
  return { answer, options };
}

/** Request messages with these texts. */
export async function* texts(...words: string[]) {
  for (const text of words) yield { content: { text } };
}

/** Rejects with the signal's reason when it fires. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason));
  });
}

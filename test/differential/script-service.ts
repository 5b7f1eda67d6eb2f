import { once } from "node:events";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import {
  type Content,
  DetailSchema,
  type Failure,
  type Field,
  type ReportSchema,
  type Script,
  type ScriptService,
} from "../gen/connectum/script/v1/script_pb.js";

interface Request {
  readonly script?: Script;
  readonly content?: Content;
}

type Report = MessageInitShape<typeof ReportSchema>;

/** Every method but `nobody` answers as the script in its (first) request asks. */
export const scriptService: Omit<ServiceImpl<typeof ScriptService>, "nobody"> = {
  once: (request, context) => answer([request], context),

  look: (request, context) => answer([request], context),

  async *download(request, context) {
    yield* answers([request], request.script, context);
  },

  async upload(requests, context) {
    const all: Request[] = [];
    for await (const request of requests) all.push(request);
    return answer(all, context);
  },

  async *talk(requests, context) {
    const all: Request[] = [];
    for await (const request of requests) {
      all.push(request);
      if (all.length === 1) setMetadata(request.script, context);
      yield { content: request.content };
    }
    yield* answers(all, all[0]?.script, context, false);
  },
};

async function answer(requests: Request[], context: HandlerContext) {
  const script = requests[0]?.script;
  setMetadata(script, context);
  if (script?.isWaiting) await aborted(context.signal);
  if (script?.failure) throw toError(script.failure);
  return {
    content: { ...lastContent(requests), payload: payload(script) },
    report: report(script, requests.length, context),
  };
}

async function* answers(
  requests: Request[],
  script: Script | undefined,
  context: HandlerContext,
  withMetadata = true,
) {
  if (withMetadata) setMetadata(script, context);
  for (let index = 0; index < (script?.count ?? 0); index++) {
    yield {
      content: { ...lastContent(requests), number: BigInt(index), payload: payload(script) },
      report: index === 0 ? report(script, requests.length, context) : undefined,
    };
  }
  if (script?.isWaiting) await aborted(context.signal);
  if (script?.failure) throw toError(script.failure);
}

function lastContent(requests: Request[]) {
  const { text, number, mood, figures } = requests.at(-1)?.content ?? {};
  return { text, number, mood, figures };
}

/** Bytes that a compression can shrink. */
function payload(script: Script | undefined): Uint8Array {
  return new Uint8Array(script?.size ?? 0).fill(7);
}

function setMetadata(script: Script | undefined, context: HandlerContext): void {
  append(context.responseHeader, script?.headers);
  append(context.responseTrailer, script?.trailers);
}

function append(target: Headers, fields: readonly Field[] = []): void {
  for (const { name, value } of fields) target.append(name, value);
}

async function aborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, "abort");
  throw signal.reason;
}

function toError({ code, message, metadata, details, isPlain }: Failure): Error {
  if (isPlain) return new Error(message);
  const header = new Headers();
  append(header, metadata);
  const outgoing = details.map((text) => ({ desc: DetailSchema, value: { text } }));
  return new ConnectError(message, code, header, outgoing);
}

function report(
  script: Script | undefined,
  messages: number,
  context: HandlerContext,
): Report | undefined {
  if (!script?.isReporting) return undefined;
  const timeoutMs = context.timeoutMs();
  const { pathname, search } = new URL(context.url);
  return {
    protocol: context.protocolName,
    requestMethod: context.requestMethod,
    path: pathname + search,
    headers: [...context.requestHeader]
      .filter(([name]) => name.startsWith("x-"))
      .map(([name, value]) => ({ name, value })),
    timeoutMinutes: timeoutMs === undefined ? 0n : BigInt(Math.ceil(timeoutMs / 60_000)),
    messages,
  };
}

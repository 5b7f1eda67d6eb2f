import {
  createRegistry,
  fromJson,
  isMessage,
  type JsonReadOptions,
  type JsonValue,
  type JsonWriteOptions,
  type Message,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { extendInterceptor } from "../core/index.ts";
import { type AnyRequest, callOfRequest, checkKeys, checkObject } from "../core/internal.ts";
import { watchMessages } from "./message-stream.ts";
import { MethodPlans } from "./method-plans.ts";
import { registryOf } from "./service-registry.ts";

export interface SerializerOptions {
  /** Method patterns to leave alone. Default `grpc.*`. */
  readonly skipMethods?: readonly string[];
  /** How messages become JSON and back. Its registry adds to the types of the mounted services. */
  readonly jsonOptions?: Partial<JsonReadOptions & JsonWriteOptions>;
}

/**
 * Gives handlers ProtoJSON instead of messages, and takes ProtoJSON from them; a handler may still
 * return a message. Interceptors further out and clients see messages. For handlers of
 * `createServer()`; other calls pass as they are.
 */
export function createSerializerInterceptor(options: SerializerOptions = {}): Interceptor {
  checkKeys("serializer", options, ["skipMethods", "jsonOptions"] satisfies ReadonlyArray<
    keyof SerializerOptions
  >);
  const { skipMethods = ["grpc.*"], jsonOptions = {} } = options;
  checkObject("serializer.jsonOptions", jsonOptions);
  let registry: Registry = jsonOptions.registry ?? createRegistry();
  const plans = new MethodPlans("serializer.skipMethods", skipMethods, ({ input, output }) => ({
    toJson(message: unknown): JsonValue {
      try {
        return toJson(input, message as Message, { ...jsonOptions, registry });
      } catch (cause) {
        throw new ConnectError(
          `the request has no JSON form: ${cause instanceof Error ? cause.message : cause}`,
          Code.InvalidArgument,
          undefined,
          undefined,
          cause,
        );
      }
    },
    toMessage: (given: unknown): Message =>
      isMessage(given, output)
        ? given
        : fromJson(output, withoutUndefined(given), { ...jsonOptions, registry }),
  }));

  return extendInterceptor(
    (next) => async (request) => {
      const call = callOfRequest(request);
      const plan = call && plans.get(request.method);
      if (!plan) return next(request);
      call.convertOutput = plan.toMessage;
      const message = request.stream
        ? watchMessages<unknown>(request.message, { onMessage: plan.toJson })
        : plan.toJson(request.message);
      return next({ ...request, message } as AnyRequest);
    },
    {
      attach({ services }) {
        registry = createRegistry(registry, registryOf(services));
      },
    },
  );
}

/** What JavaScript has as undefined is not there in JSON. */
function withoutUndefined(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value as JsonValue;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.map(([name, member]) => [name, withoutUndefined(member)]));
}

import {
  create,
  createRegistry,
  type DescMessage,
  type DescMethod,
  type DescService,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { extendInterceptor } from "../core/index.ts";
import { type AnyFn, checkBoolean, checkKeys, internalError } from "../core/internal.ts";
import { hasRules } from "./has-rules.ts";
import { watchMessages, withMessages } from "./message-stream.ts";
import { MethodPlans } from "./method-plans.ts";
import { violationsError } from "./violations-error.ts";

export interface ValidationOptions {
  /** Responses that break their own rules fail with `internal`. Default false. */
  readonly validateResponses?: boolean;
  /** Extensions of predefined rules, and messages to look into `Any`s with. Default none. */
  readonly registry?: Registry;
  /** Method patterns to leave alone. Default none: what has no rules costs nothing. */
  readonly skipMethods?: readonly string[];
}

export interface ValidationInterceptor extends Interceptor {
  /**
   * Compiles the rules of these services' messages, which otherwise happens at the first message of
   * each type. `createServer()` does it when it starts. Returns what does not compile, by type name.
   */
  warmUp(...services: readonly DescService[]): ReadonlyMap<string, Error>;
}

type Check = ((message: Message) => void) | undefined;

interface Plan {
  readonly request: Check;
  readonly response: Check;
}

/**
 * Checks messages against the rules their proto declares with `buf.validate`. A request that breaks
 * them fails with `invalid_argument` before the handler sees it; in a stream, when it is its turn.
 */
export function createValidationInterceptor(
  options: ValidationOptions = {},
): ValidationInterceptor {
  checkKeys("validation", options, [
    "validateResponses",
    "registry",
    "skipMethods",
  ] satisfies ReadonlyArray<keyof ValidationOptions>);
  const { validateResponses = false, registry = createRegistry(), skipMethods = [] } = options;
  checkBoolean("validation.validateResponses", validateResponses);
  const validator = createValidator({ registry });

  const checkRequest = (type: DescMessage): Check => {
    if (!hasRules(type)) return undefined;
    return (message) => {
      const result = validator.validate(type, message);
      if (result.kind === "invalid") throw violationsError(result.violations);
      if (result.kind === "error") throw internalError(result.error);
    };
  };
  const checkResponse = (type: DescMessage): Check => {
    if (!validateResponses || !hasRules(type)) return undefined;
    return (message) => {
      const { error } = validator.validate(type, message);
      if (error) throw internalError(error);
    };
  };
  const plans = new MethodPlans<Plan>("validation.skipMethods", skipMethods, (method) => {
    const request = checkRequest(method.input);
    const response = checkResponse(method.output);
    return request || response ? { request, response } : undefined;
  });

  const warmUp = (...services: readonly DescService[]) => {
    const failures = new Map<string, Error>();
    for (const type of typesOf(services, validateResponses)) {
      // The rules of an empty message may fail; that they compile is what matters.
      const { kind, error } = validator.validate(type, create(type));
      if (kind === "error" && error.name === "CompilationError") failures.set(type.typeName, error);
    }
    return failures;
  };

  const interceptor = extendInterceptor(
    (next) => async (request) => {
      const plan = plans.get(request.method);
      return plan ? validated(next as AnyFn, request, plan) : next(request);
    },
    {
      attach({ services, logger }) {
        for (const [type, err] of warmUp(...services)) {
          logger.warn(
            { err, type },
            `the validation rules of ${type} do not compile; its calls fail`,
          );
        }
      },
    },
  );
  return Object.assign(interceptor, { warmUp });
}

const validated = async (
  next: AnyFn,
  request: Parameters<AnyFn>[0],
  { request: checkRequest, response: checkResponse }: Plan,
) => {
  let passed = request;
  if (!request.stream) checkRequest?.(request.message);
  else if (checkRequest) {
    const message = watchMessages(request.message, { onMessage: seen(checkRequest) });
    passed = { ...request, message } as typeof request;
  }
  const response = await next(passed);
  if (!checkResponse) return response;
  if (!response.stream) {
    checkResponse(response.message);
    return response;
  }
  const messages = watchMessages(response.message, { onMessage: seen(checkResponse) });
  return withMessages(response, messages);
};

function seen(check: (message: Message) => void) {
  return <T>(message: T): T => {
    check(message as Message);
    return message;
  };
}

/** The types that calls of these services check, each once. */
function typesOf(services: readonly DescService[], withResponses: boolean): Set<DescMessage> {
  const types = new Set<DescMessage>();
  const methods = services.flatMap<DescMethod>((service) => service.methods);
  for (const { input, output } of methods) {
    if (hasRules(input)) types.add(input);
    if (withResponses && hasRules(output)) types.add(output);
  }
  return types;
}

import { createRegistry, type DescMethod, type Message, type Registry } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { ConnectumError, extendInterceptor } from "../core/index.ts";
import { checkFunction, checkKeys, checkList, show } from "../core/internal.ts";
import { FieldMask } from "./field-mask.ts";
import { watchMessages, withMessages } from "./message-stream.ts";
import { MethodPlans } from "./method-plans.ts";
import { registryOf } from "./service-registry.ts";

export interface RedactOptions {
  /** Fields to mask beside those marked `[debug_redact = true]`, as `pkg.Message.field`. */
  readonly fields?: readonly string[];
  /** What strings become; everything else is cleared. Default `"***"`. */
  readonly mask?: string;
  /** Whether this caller may see everything. Default: nobody may. */
  readonly unless?: (context: UnaryRequest | StreamRequest) => boolean;
}

/**
 * Masks marked fields in responses: in nested messages, lists, maps and `Any`s. The messages of the
 * handler stay as they are, clients get copies. Types without such fields cost nothing.
 */
export function createRedactInterceptor(options: RedactOptions = {}): Interceptor {
  checkKeys("redact", options, ["fields", "mask", "unless"] satisfies ReadonlyArray<
    keyof RedactOptions
  >);
  const { fields = [], mask = "***", unless = () => false } = options;
  if (typeof mask !== "string") {
    throw new ConnectumError("INVALID_OPTION", `redact.mask must be a string, got ${show(mask)}`);
  }
  checkFunction("redact.unless", unless);
  checkList("redact.fields", fields);
  for (const field of fields) checkFieldName(field);
  const fieldMask = new FieldMask({ mask, fields: new Set(fields), dropUnknown: false });
  const plans = new MethodPlans("redact", [], ({ output }: DescMethod) =>
    fieldMask.concerns(output) ? (message: Message) => fieldMask.apply(output, message) : undefined,
  );

  return extendInterceptor(
    (next) => async (request) => {
      const apply = plans.get(request.method);
      if (!apply) return next(request);
      const response = await next(request);
      if (unless(request)) return response;
      if (!response.stream) return { ...response, message: apply(response.message) };
      const onMessage = apply as <T>(message: T) => T;
      return withMessages(response, watchMessages(response.message, { onMessage }));
    },
    {
      attach({ services }) {
        const registry = registryOf(services);
        for (const field of fields) checkField(field, registry);
        fieldMask.registry = createRegistry(fieldMask.registry ?? createRegistry(), registry);
      },
    },
  );
}

function checkFieldName(field: string): void {
  if (typeof field === "string" && /^\w+(\.\w+)+$/.test(field)) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `redact.fields takes names like "pkg.Message.field", got ${show(field)}`,
  );
}

/** A name that means nothing would leave a secret in the open. */
function checkField(field: string, registry: Registry): void {
  const dot = field.lastIndexOf(".");
  const message = registry.getMessage(field.slice(0, dot));
  const name = field.slice(dot + 1);
  if (message?.fields.some((candidate) => candidate.name === name)) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `redact.fields has "${field}", which no mounted service uses; check message and field name`,
  );
}

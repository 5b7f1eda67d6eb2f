import type { DescService } from "@bufbuild/protobuf";
import { ConnectumError, type ProtocolContext, type ProtocolRegistration } from "../core/index.ts";
import { checkKeys, checkList, nearest, show } from "../core/internal.ts";
import { type Answer, answer, type ReflectionRequest } from "./answer.ts";
import * as v1 from "./gen/grpc/reflection/v1/reflection_pb.js";
import * as v1alpha from "./gen/grpc/reflection/v1alpha/reflection_pb.js";
import { Schema } from "./schema.ts";
import { untilIdle } from "./until-idle.ts";

export interface ReflectionOptions {
  /** Show these services only, by descriptor or full name. Default: all that are mounted. */
  readonly services?: ReadonlyArray<DescService | string>;
  /**
   * Hide these services: they are not listed, their names are unknown, and files that only they
   * need are not served. A file they share with a shown service still goes out whole.
   */
  readonly exclude?: ReadonlyArray<DescService | string>;
  /** `false` mounts nothing. A function is asked once, when routes freeze. Default true. */
  readonly enabled?: boolean | ((context: ProtocolContext) => boolean);
}

/**
 * Server reflection, `grpc.reflection.v1` and `v1alpha`, over the services that are mounted, those
 * of other protocols included, in whatever order they are registered.
 *
 * A name in `services` or `exclude` that is not mounted makes `start()` reject with
 * `ConnectumError("UNKNOWN_SERVICE")`.
 *
 * @example
 * const server = createServer({ services, protocols: [Reflection()] });
 */
export function Reflection(options: ReflectionOptions = {}): ProtocolRegistration {
  checkKeys("Reflection()", options, ["services", "exclude", "enabled"]);
  const { services, exclude = [], enabled = true } = options;
  if (typeof enabled !== "function") checkEnabled(enabled);
  if (services !== undefined) checkList("services", services);
  checkList("exclude", exclude);
  const shown = services?.map(nameOf);
  const excluded = exclude.map(nameOf);
  return {
    name: "reflection",
    register(router, context) {
      const isEnabled = typeof enabled === "function" ? enabled(context) : enabled;
      checkEnabled(isEnabled);
      if (!isEnabled) return;
      let view: View | undefined;
      const getView = () => {
        view ??= createView(context.services, shown, excluded);
        return view;
      };
      async function* serverReflectionInfo<T extends ReflectionRequest>(
        requests: AsyncIterable<T>,
      ): AsyncGenerator<{ validHost: string; originalRequest: T; messageResponse: Answer }> {
        const { schema, serviceNames } = getView();
        const sent = new Set<string>();
        for await (const request of untilIdle(requests, context.shutdownSignal)) {
          yield {
            validHost: request.host,
            originalRequest: request,
            messageResponse: answer(request, schema, serviceNames, sent),
          };
        }
      }
      router.service(v1.ServerReflection, { serverReflectionInfo });
      router.service(v1alpha.ServerReflection, { serverReflectionInfo });
    },
    attach({ services: mounted }) {
      checkNames(mounted, [...(shown ?? []), ...excluded]);
    },
  };
}

/** What the clients of one server may see. */
interface View {
  readonly schema: Schema;
  readonly serviceNames: readonly string[];
}

function createView(
  mounted: readonly DescService[],
  shown: readonly string[] | undefined,
  excluded: readonly string[],
): View {
  const isShown = ({ typeName }: DescService) =>
    (shown?.includes(typeName) ?? true) && !excluded.includes(typeName);
  const visible = mounted.filter(isShown);
  const serviceNames = [...new Set(visible.map(nameOf))].sort();
  const hidden = new Set(mounted.map(nameOf));
  for (const name of serviceNames) hidden.delete(name);
  return {
    schema: new Schema(
      visible.map(({ file }) => file),
      hidden,
    ),
    serviceNames,
  };
}

function checkNames(mounted: readonly DescService[], names: readonly string[]): void {
  const known = mounted.map(nameOf);
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new ConnectumError(
      "UNKNOWN_SERVICE",
      `Reflection() names service "${name}", which is not mounted; did you mean "${nearest(name, known)}"?`,
    );
  }
}

/** Strict, because a promise or the text "false" would count as true and expose the schema. */
function checkEnabled(enabled: unknown): void {
  if (typeof enabled === "boolean") return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `enabled must be true, false or a function that returns one of them, got ${show(enabled)}`,
  );
}

function nameOf(service: DescService | string): string {
  return typeof service === "string" ? service : service.typeName;
}

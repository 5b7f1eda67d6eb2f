import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { ConnectumError, extendInterceptor } from "../core/index.ts";
import {
  type AnyFn,
  checkBoolean,
  checkFunction,
  checkKeys,
  checkMethodPatterns,
  comparePatterns,
  compose,
  interceptorExtension,
  matchesMethodPattern,
  nearest,
  wrappedInterceptors,
} from "../core/internal.ts";

/** Interceptors by method pattern: `*`, `pkg.*`, `pkg.Service/*`, `pkg.Service/Method`. */
export type MethodFilterMap = Readonly<Record<string, Interceptor | readonly Interceptor[]>>;

export interface MethodFilterOptions {
  /** `start()` rejects if a key matches no method of the server. Default false. */
  readonly strict?: boolean;
}

interface Entry {
  readonly pattern: string;
  readonly interceptor: Interceptor;
}

/**
 * Runs interceptors for some methods only. All that match a method run, those of general patterns
 * outside those of exact ones. Each method's chain is composed once.
 */
export function createMethodFilterInterceptor(
  map: MethodFilterMap,
  options: MethodFilterOptions = {},
): Interceptor {
  checkKeys("methodFilter", options, ["strict"]);
  const { strict = false } = options;
  checkBoolean("methodFilter.strict", strict);
  const entries = entriesOf(map);
  const matching = (method: DescMethod) =>
    entries
      .filter(({ pattern }) => matchesMethodPattern(pattern, method))
      .map(({ interceptor }) => interceptor);
  const extensions = [...new Set(entries.map(({ interceptor }) => interceptor))].map(
    interceptorExtension,
  );
  const hasGates = extensions.some((extension) => extension?.gate);

  const filter: Interceptor = (next) => {
    const chains = new Map<DescMethod, AnyFn>();
    return (request) => {
      let chain = chains.get(request.method);
      if (!chain) {
        chain = compose(matching(request.method), next as AnyFn);
        chains.set(request.method, chain);
      }
      return chain(request) as ReturnType<typeof next>;
    };
  };
  return extendInterceptor(filter, {
    async attach(context) {
      if (strict) {
        const methods = context.services.flatMap(({ methods }) => methods);
        for (const { pattern } of entries) checkMatches(pattern, methods);
      }
      for (const extension of extensions) await extension?.attach?.(context);
    },
    gate: hasGates
      ? async (context) => {
          for (const interceptor of matching(context.method)) {
            await interceptorExtension(interceptor)?.gate?.(context);
          }
        }
      : undefined,
    [wrappedInterceptors]: matching,
  });
}

function entriesOf(map: MethodFilterMap): Entry[] {
  const patterns = Object.keys(map);
  for (const pattern of patterns) checkMethodPatterns("methodFilter", [pattern]);
  return patterns.sort(comparePatterns).flatMap((pattern) => {
    const given = map[pattern] as MethodFilterMap[string];
    const list: readonly Interceptor[] = Array.isArray(given) ? given : [given];
    for (const interceptor of list) checkFunction(`methodFilter["${pattern}"]`, interceptor);
    return list.map((interceptor) => ({ pattern, interceptor }));
  });
}

function checkMatches(pattern: string, methods: readonly DescMethod[]): void {
  if (methods.some((method) => matchesMethodPattern(pattern, method))) return;
  const names = methods.map(({ parent, name }) => `${parent.typeName}/${name}`);
  throw new ConnectumError(
    "INVALID_OPTION",
    `methodFilter["${pattern}"] matches no method of this server; did you mean "${nearest(pattern, names)}"?`,
  );
}

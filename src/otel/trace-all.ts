import { ConnectumError } from "../core/index.ts";
import { checkList, checkText, show } from "../core/internal.ts";
import { checkTracedOptions, type TracedOptions, traced } from "./traced.ts";

export interface TraceAllOptions extends Omit<TracedOptions, "name"> {
  /** Spans are called `<prefix>.<method>`. Default: the name of the object's class. */
  readonly prefix?: string;
  /** Only these methods. Default: all. */
  readonly include?: readonly string[];
  /** All but these. */
  readonly exclude?: readonly string[];
}

/**
 * The same object with every method traced, inherited ones too. The object itself stays as it was, and
 * calls it makes to itself are not traced.
 */
export function traceAll<T extends object>(object: T, options: TraceAllOptions = {}): T {
  if (typeof object !== "object" || object === null) {
    throw new ConnectumError("INVALID_OPTION", `traceAll() takes an object, got ${show(object)}`);
  }
  checkTracedOptions("traceAll()", options, ["prefix", "include", "exclude"]);
  const { prefix = object.constructor?.name ?? "Object", include, exclude = [], ...rest } = options;
  checkText("traceAll() prefix", prefix);
  if (include !== undefined) checkList("traceAll() include", include, checkText);
  checkList("traceAll() exclude", exclude, checkText);
  const isTraced = (key: string) => !exclude.includes(key) && (include?.includes(key) ?? true);
  const wrappers = new Map<unknown, unknown>();
  return new Proxy(object, {
    get(target, key) {
      // Private fields and getters need the object itself.
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function" || key === "constructor") return value;
      let wrapper = wrappers.get(value);
      if (!wrapper) {
        const bound = (...args: unknown[]) => value.apply(target, args);
        const name = typeof key === "string" && isTraced(key) ? `${prefix}.${key}` : undefined;
        wrapper = name === undefined ? bound : traced(bound, { ...rest, name });
        wrappers.set(value, wrapper);
      }
      return wrapper;
    },
  });
}

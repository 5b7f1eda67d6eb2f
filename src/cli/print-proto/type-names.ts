import type { DescFile, Registry } from "@bufbuild/protobuf";

/** Writes names of types as short as the scoping rules of protobuf allow. */
export class TypeNames {
  readonly #known = new Set<string>();

  constructor(registry: Registry, files: Iterable<DescFile>) {
    for (const { typeName } of registry) this.#known.add(typeName);
    for (const { proto } of files) {
      const parts = proto.package.split(".").filter(Boolean);
      parts.forEach((_, index) => {
        this.#known.add(parts.slice(0, index + 1).join("."));
      });
    }
  }

  /** `fullName` as it can be written inside of `scope`, a message or package. */
  shorten(fullName: string, scope: string): string {
    const candidates: string[] = [];
    for (const outer of scopesOf(scope)) {
      if (outer !== "" && fullName.startsWith(`${outer}.`)) {
        candidates.push(fullName.slice(outer.length + 1));
      }
    }
    candidates.push(fullName);
    return candidates.find((name) => this.#resolve(name, scope) === fullName) ?? `.${fullName}`;
  }

  /** What a compiler takes a name for: the innermost scope that has its first part decides. */
  #resolve(name: string, scope: string): string | undefined {
    const [first = ""] = name.split(".");
    for (const outer of scopesOf(scope)) {
      const prefix = outer === "" ? "" : `${outer}.`;
      if (this.#known.has(prefix + first)) return prefix + name;
    }
    return undefined;
  }
}

function* scopesOf(scope: string): Generator<string> {
  for (let rest = scope; rest !== ""; rest = rest.slice(0, Math.max(rest.lastIndexOf("."), 0))) {
    yield rest;
  }
  yield "";
}

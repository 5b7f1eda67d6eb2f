import { usageError } from "../cli-error.ts";

/** One name in the spellings its places ask for. */
export interface Names {
  /** npm package. */
  readonly npm: string;
  /** Files: `order-items`. */
  readonly kebab: string;
  /** Protobuf packages: `order_items`. */
  readonly snake: string;
  /** Constants: `orderItems`. */
  readonly camel: string;
  /** Types: `OrderItems`. */
  readonly pascal: string;
  /** Full name of the service: `order_items.v1.OrderItemsService`. */
  readonly service: string;
}

const RESERVED = new Set(["index", "server", "services", "main", "default", "new", "class"]);

/** Throws a usage error for a name that npm or protobuf would refuse. */
export function namesOf(given: string): Names {
  const npm = given.trim();
  const last = npm.replace(/^@[^/]+\//, "").replace(/(?<=.)[-_]?service$/i, "");
  const words = last
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean)
    .map((word) => word.toLowerCase());
  const kebab = words.join("-");
  if (!/^[a-z][a-z0-9-]*$/.test(kebab) || RESERVED.has(kebab)) {
    throw usageError(
      `"${given}" cannot name a service`,
      "use letters and digits, a letter first, such as orders or order-items",
    );
  }
  const pascal = words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("");
  const snake = words.join("_");
  return {
    npm,
    kebab,
    snake,
    camel: pascal[0]?.toLowerCase() + pascal.slice(1),
    pascal,
    service: `${snake}.v1.${pascal}Service`,
  };
}

/** Throws a usage error for what npm does not take as the name of a package. */
export function checkPackageName(name: string): void {
  if (/^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(name) && name.length <= 214)
    return;
  throw usageError(
    `"${name}" is no name for a package`,
    "npm takes lower case letters, digits and -, such as order-service",
  );
}

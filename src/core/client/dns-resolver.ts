import { show } from "../check-options.ts";
import { ConnectumError } from "../errors.ts";
import { type CreateTransport, checkBaseUrl } from "./base-url.ts";
import { openDefaultTransport } from "./default-transport.ts";
import type { RemoteResolver } from "./remote-resolver.ts";

export interface DnsResolverOptions {
  /**
   * Base URL with placeholders. Of `inventory.v1.StockService`, `{shortName}` or `{name}` is `stock`,
   * `{package}` is `inventory.v1` and `{typeName}` the whole.
   */
  readonly template: string;
  /** Default: gRPC over HTTP/2, connected at the first call, closed when the server stops. */
  readonly createTransport?: CreateTransport;
}

/**
 * Every service has a host name that follows from its type name; DNS does the rest.
 *
 * @example
 * dnsResolver({ template: "http://{name}.shop.svc.cluster.local:5000" })
 */
export function dnsResolver(options: DnsResolverOptions): RemoteResolver {
  const { template, createTransport = openDefaultTransport } = options;
  if (typeof template !== "string") {
    throw new ConnectumError("INVALID_OPTION", `template must be a string, got ${show(template)}`);
  }
  checkBaseUrl("template", fill(template, "sample.v1.SampleService"));
  return (context) => createTransport(fill(template, context.typeName), context);
}

function fill(template: string, typeName: string): string {
  const dot = typeName.lastIndexOf(".");
  const simpleName = typeName.slice(dot + 1);
  const name = (simpleName.replace(/Service$/, "") || simpleName).toLowerCase();
  const packageName = dot < 0 ? "" : typeName.slice(0, dot);
  const values: Record<string, string> = {
    shortName: name,
    name,
    package: packageName,
    typeName,
  };
  return template.replace(/\{([^{}]*)\}/g, (placeholder, key: string) => {
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    if (value !== undefined) return value;
    throw new ConnectumError(
      "INVALID_OPTION",
      `template knows {shortName}, {name}, {package} and {typeName}, got ${placeholder}`,
    );
  });
}

import { ConnectumError } from "../errors.ts";
import { type CreateTransport, checkBaseUrl } from "./base-url.ts";
import { openDefaultTransport } from "./default-transport.ts";
import type { RemoteResolver } from "./remote-resolver.ts";

export interface PerServiceEnvResolverOptions {
  /** Read once, when the resolver is made. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: gRPC over HTTP/2, connected at the first call, closed when the server stops. */
  readonly createTransport?: CreateTransport;
}

/**
 * An environment variable per service holds its base URL. A service whose variable is unset or empty,
 * or that is not in the map, has no transport.
 *
 * @example
 * perServiceEnvResolver({ "pricing.v1.PricingService": "PRICING_URL" })
 */
export function perServiceEnvResolver(
  variables: Readonly<Record<string, string>>,
  options: PerServiceEnvResolverOptions = {},
): RemoteResolver {
  const { env = process.env, createTransport = openDefaultTransport } = options;
  const urls = new Map<string, string>();
  for (const [typeName, variable] of Object.entries(variables)) {
    if (typeof variable !== "string" || variable === "") {
      throw new ConnectumError(
        "INVALID_OPTION",
        `perServiceEnvResolver() needs the name of a variable for ${typeName}`,
      );
    }
    const url = env[variable];
    if (!url) continue;
    checkBaseUrl(variable, url);
    urls.set(typeName, url);
  }
  return (context) => {
    const url = urls.get(context.typeName);
    return url === undefined ? null : createTransport(url, context);
  };
}

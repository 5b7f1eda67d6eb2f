import type { Interceptor } from "@connectrpc/connect";
import { checkFunction, checkKeys } from "../../core/internal.ts";
import type { AuthContext } from "../auth-context.ts";
import { AUTH_HEADERS, toAuthHeaderValues } from "../auth-headers.ts";
import { getAuthContext } from "../current-auth.ts";
import type { GatewayHeaderMapping } from "../gateway-auth-interceptor.ts";
import { checkHeaderName, checkTexts } from "../trust-source.ts";

export interface ClientGatewayOptions {
  /** The header by which the services behind know this gateway, and the secret in it. */
  readonly trust?: { readonly header: string; readonly value: string };
  /** Must be what the services' `createGatewayAuthInterceptor` has. Default `AUTH_HEADERS`. */
  readonly headerMapping?: GatewayHeaderMapping;
  /** Whom the call is made for. Default: the caller whose handler makes it. */
  readonly context?: () => AuthContext | undefined;
}

/**
 * Makes a client the gateway of the services it calls: sends whom it has authenticated, and what makes
 * the services believe it. Headers of the mapping that a call already has are replaced or removed.
 */
export function createClientGatewayInterceptor(options: ClientGatewayOptions = {}): Interceptor {
  checkKeys("createClientGatewayInterceptor()", options, ["trust", "headerMapping", "context"]);
  const { trust, headerMapping = AUTH_HEADERS, context = () => getAuthContext() } = options;
  checkFunction("context", context);
  const trustHeader = trust && checkHeaderName("trust.header", trust.header);
  if (trust) checkTexts("trust.value", [trust.value]);
  const names = Object.entries(headerMapping).map(
    ([field, name]) =>
      [
        field as keyof typeof AUTH_HEADERS,
        checkHeaderName(`headerMapping.${field}`, name),
      ] as const,
  );
  return (next) => (request) => {
    const caller = context();
    const values = caller && toAuthHeaderValues(caller);
    for (const [field, name] of names) {
      const value = values?.[field];
      if (value === undefined) request.header.delete(name);
      else request.header.set(name, value);
    }
    if (trust && trustHeader) request.header.set(trustHeader, trust.value);
    return next(request);
  };
}

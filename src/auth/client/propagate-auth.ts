import type { Interceptor } from "@connectrpc/connect";
import { transportKey } from "../../core/index.ts";
import { deleteHeadersWithPrefix } from "../../core/internal.ts";
import { AUTH_HEADER_PREFIX, setAuthHeaders } from "../auth-headers.ts";
import { getCurrentIdentity } from "../current-auth.ts";
import { propagatedKey } from "../propagated.ts";

/**
 * An outgoing interceptor that makes calls on behalf of the caller whose handler makes them. A service
 * in this process takes the identity as it is, when the call has no credentials of its own; a remote
 * one gets the `x-auth-*` headers, which it believes only where `createGatewayAuthInterceptor` trusts
 * this server. Calls made outside a handler, or for an anonymous caller, carry nothing.
 */
export function propagateAuth(): Interceptor {
  return (next) => (request) => {
    const { header, contextValues } = request;
    const identity = getCurrentIdentity();
    deleteHeadersWithPrefix(header, AUTH_HEADER_PREFIX);
    if (contextValues.get(transportKey) === "in-process") {
      contextValues.set(propagatedKey, identity);
    } else if (identity) {
      setAuthHeaders(header, identity.context);
    }
    return next(request);
  };
}

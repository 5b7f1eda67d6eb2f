export { matchesMethodPattern } from "../core/internal.ts";
export { type AuthContext, type AuthContextInit, authContextKey } from "./auth-context.ts";
export type { AuthFailure } from "./auth-failure.ts";
export { AUTH_HEADERS, parseAuthHeaders, setAuthHeaders } from "./auth-headers.ts";
export { type AuthOptions, createAuthInterceptor } from "./auth-interceptor.ts";
export type {
  AuthCall,
  AuthenticationOptions,
  CachedAuthenticationOptions,
} from "./authenticator.ts";
export type { AccessRule } from "./authz/access-rule.ts";
export type { Authorize, AuthzPolicy } from "./authz/authz-engine.ts";
export { type AuthzOptions, createAuthzInterceptor } from "./authz/authz-interceptor.ts";
export type { AuthzRule } from "./authz/authz-rule.ts";
export type { AuthzCommonOptions, AuthzDecision } from "./authz/enforcer.ts";
export { type AuthzExplanation, explainAuthz } from "./authz/explain-authz.ts";
export {
  getInternalMethods,
  getPublicMethods,
  type ResolvedMethodAuth,
  resolveMethodAuth,
} from "./authz/method-auth.ts";
export {
  createProtoAuthzInterceptor,
  type ProtoAuthzOptions,
} from "./authz/proto-authz-interceptor.ts";
export type { Requirements } from "./authz/requirements.ts";
export {
  type ClientBearerOptions,
  createClientBearerInterceptor,
} from "./client/client-bearer-interceptor.ts";
export {
  type ClientGatewayOptions,
  createClientGatewayInterceptor,
} from "./client/client-gateway-interceptor.ts";
export { propagateAuth } from "./client/propagate-auth.ts";
export type { TokenInput } from "./client/token-source.ts";
export {
  getAuthContext,
  type HasContextValues,
  requireAuthContext,
  runWithAuthContext,
} from "./current-auth.ts";
export {
  createGatewayAuthInterceptor,
  type GatewayAuthOptions,
  type GatewayHeaderMapping,
} from "./gateway-auth-interceptor.ts";
export {
  createInternalAuthInterceptor,
  type InternalAuthOptions,
} from "./internal/internal-auth-interceptor.ts";
export type { InternalTrust } from "./internal/internal-trust.ts";
export {
  type MeshIdentityTrustOptions,
  meshIdentityTrust,
} from "./internal/mesh-identity-trust.ts";
export {
  type SharedSecretTrustOptions,
  sharedSecretTrust,
} from "./internal/shared-secret-trust.ts";
export { type SignedTokenTrustOptions, signedTokenTrust } from "./internal/signed-token-trust.ts";
export type { ClaimsMapping } from "./jwt/claims-mapping.ts";
export { createJwtAuthInterceptor, type JwtAuthOptions } from "./jwt/jwt-auth-interceptor.ts";
export type { KeySourceOptions } from "./jwt/key-source.ts";
export type { JwksOptions } from "./jwt/remote-keys.ts";
export type { TokenRules } from "./jwt/token-verifier.ts";
export type { JwtAlgorithm, PublicKeyInput } from "./jwt/verification-key.ts";
export {
  createMtlsAuthInterceptor,
  type MtlsAuthOptions,
  type VerifiedPeer,
} from "./mtls-auth-interceptor.ts";
export {
  createSessionAuthInterceptor,
  type SessionAuthOptions,
} from "./session-auth-interceptor.ts";
export type { TrustSource } from "./trust-source.ts";
export type { AuthCacheOptions } from "./verification-cache.ts";

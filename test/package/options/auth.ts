import type {
  AuthCacheOptions,
  AuthOptions,
  AuthzOptions,
  AuthzRule,
  ClaimsMapping,
  ClientBearerOptions,
  ClientGatewayOptions,
  GatewayAuthOptions,
  GatewayHeaderMapping,
  InternalAuthOptions,
  JwksOptions,
  JwtAuthOptions,
  MeshIdentityTrustOptions,
  MtlsAuthOptions,
  ProtoAuthzOptions,
  SessionAuthOptions,
  SharedSecretTrustOptions,
  SignedTokenTrustOptions,
} from "connectum/auth";
import type { Proofs, Within } from "./proof.ts";

const authInterceptor = "test/auth/auth-interceptor.test.ts";
const authz = "test/auth/authz.test.ts";
const everyAuthenticator = "test/auth/every-authenticator.test.ts";
const gateway = "test/auth/gateway.test.ts";
const internal = "test/auth/internal.test.ts";
const jwks = "test/auth/jwks.test.ts";
const jwt = "test/auth/jwt.test.ts";
const protoAuthz = "test/auth/proto-authz.test.ts";
const sessionMtls = "test/auth/session-mtls.test.ts";

export const authOptions: Proofs<{
  createAuthInterceptor: keyof AuthOptions | Within<"cache", AuthCacheOptions>;
  createJwtAuthInterceptor:
    | keyof JwtAuthOptions
    | Within<"jwks", JwksOptions>
    | Within<"claimsMapping", ClaimsMapping>;
  createGatewayAuthInterceptor:
    | keyof GatewayAuthOptions
    | Within<"headerMapping", GatewayHeaderMapping>;
  createSessionAuthInterceptor: keyof SessionAuthOptions<unknown>;
  createMtlsAuthInterceptor: keyof MtlsAuthOptions;
  createInternalAuthInterceptor: keyof InternalAuthOptions;
  signedTokenTrust: keyof SignedTokenTrustOptions;
  sharedSecretTrust: keyof SharedSecretTrustOptions;
  meshIdentityTrust: keyof MeshIdentityTrustOptions;
  createAuthzInterceptor: keyof AuthzOptions | Within<"rules.*", AuthzRule>;
  createProtoAuthzInterceptor: keyof ProtoAuthzOptions;
  createClientBearerInterceptor: keyof ClientBearerOptions;
  createClientGatewayInterceptor: keyof ClientGatewayOptions;
}> = {
  createAuthInterceptor: {
    skipMethods: [everyAuthenticator, "skipMethods: their calls are anonymous, the others are not"],
    propagateHeaders: [everyAuthenticator, "propagateHeaders: the handler reads the identity"],
    onFailure: [everyAuthenticator, "onFailure hears of a refused call, and of no other"],
    extractCredentials: [
      authInterceptor,
      "extractCredentials finds the credential elsewhere, also later",
    ],
    verifyCredentials: [
      authInterceptor,
      "the scheme's case does not matter, and other schemes are no credentials",
    ],
    cache: [authInterceptor, "a cached credential is not verified again until its time is over"],
    "cache.ttlMs": [
      authInterceptor,
      "a cached credential is not verified again until its time is over",
    ],
    "cache.maxSize": [
      authInterceptor,
      "a cached credential is not verified again until its time is over",
    ],
  },
  createJwtAuthInterceptor: {
    skipMethods: [everyAuthenticator, "skipMethods: their calls are anonymous, the others are not"],
    propagateHeaders: [everyAuthenticator, "propagateHeaders: the handler reads the identity"],
    onFailure: [everyAuthenticator, "onFailure hears of a refused call, and of no other"],
    cache: [jwt, "a verified token is cached until it expires"],
    claimsMapping: [jwt, "claimsMapping: dotted paths, names with dots, scopes as text or list"],
    extractToken: [jwt, "extractToken finds the token elsewhere"],
    jwksUri: [jwks, "fetches once for a burst of first calls, and then never for known keys"],
    jwks: [jwks, "a fetch ends after timeoutMs, and the log says so"],
    publicKey: [jwt, "RFC 7515, A.2 (RS256) and A.3 (ES256) by the keys of the RFC"],
    secret: [jwt, "takes HS256 with a secret; the longer hashes only when asked for"],
    algorithms: [jwt, "takes HS256 with a secret; the longer hashes only when asked for"],
    issuer: [jwt, "issuer and audience, single and one of several"],
    audience: [jwt, "issuer and audience, single and one of several"],
    clockToleranceSec: [jwt, "expired, not yet valid, and the clock tolerance for both"],
    maxTokenAge: [jwt, "maxTokenAge counts from iat, needs it, and no token comes from the future"],
    maxTokenLength: [jwt, "an oversized token is refused unread"],
    "jwks.maxAgeMs": [
      jwks,
      "a key that the issuer has withdrawn stops working when the set is fetched anew",
    ],
    "jwks.cooldownMs": [
      jwks,
      "a token without kid is taken if one key fits, and refused if several do",
    ],
    "jwks.timeoutMs": [jwks, "a fetch ends after timeoutMs, and the log says so"],
    "jwks.agent": [jwks, "over HTTPS, with an authority of one's own"],
    "claimsMapping.subject": [
      jwt,
      "claimsMapping: dotted paths, names with dots, scopes as text or list",
    ],
    "claimsMapping.name": [
      jwt,
      "claimsMapping: dotted paths, names with dots, scopes as text or list",
    ],
    "claimsMapping.roles": [
      jwt,
      "claimsMapping: dotted paths, names with dots, scopes as text or list",
    ],
    "claimsMapping.scopes": [
      jwt,
      "claimsMapping: dotted paths, names with dots, scopes as text or list",
    ],
  },
  createGatewayAuthInterceptor: {
    skipMethods: [everyAuthenticator, "skipMethods: their calls are anonymous, the others are not"],
    propagateHeaders: [everyAuthenticator, "propagateHeaders: the handler reads the identity"],
    onFailure: [everyAuthenticator, "onFailure hears of a refused call, and of no other"],
    headerMapping: [gateway, "takes the identity from the gateway's headers, and removes them"],
    trustSource: [gateway, "takes the identity from the gateway's headers, and removes them"],
    stripHeaders: [gateway, "takes the identity from the gateway's headers, and removes them"],
    "headerMapping.subject": [
      gateway,
      "takes the identity from the gateway's headers, and removes them",
    ],
    "headerMapping.name": [gateway, "reads lists as JSON or with separators, and encoded text"],
    "headerMapping.roles": [gateway, "reads lists as JSON or with separators, and encoded text"],
    "headerMapping.scopes": [gateway, "reads lists as JSON or with separators, and encoded text"],
    "headerMapping.claims": [gateway, "reads lists as JSON or with separators, and encoded text"],
    "headerMapping.type": [gateway, "reads lists as JSON or with separators, and encoded text"],
  },
  createSessionAuthInterceptor: {
    skipMethods: [everyAuthenticator, "skipMethods: their calls are anonymous, the others are not"],
    propagateHeaders: [everyAuthenticator, "propagateHeaders: the handler reads the identity"],
    onFailure: [everyAuthenticator, "onFailure hears of a refused call, and of no other"],
    cache: [everyAuthenticator, "the same credential is verified once"],
    extractToken: [sessionMtls, "from a cookie among others, the first of its name"],
    verifySession: [sessionMtls, "by default the token is the bearer's; no session is no identity"],
    mapSession: [sessionMtls, "by default the token is the bearer's; no session is no identity"],
  },
  createMtlsAuthInterceptor: {
    skipMethods: [everyAuthenticator, "skipMethods: their calls are anonymous, the others are not"],
    propagateHeaders: [everyAuthenticator, "propagateHeaders: the handler reads the identity"],
    onFailure: [everyAuthenticator, "onFailure hears of a refused call, and of no other"],
    cache: [everyAuthenticator, "the same credential is verified once"],
    map: [everyAuthenticator, "skipMethods: their calls are anonymous, the others are not"],
  },
  createInternalAuthInterceptor: {
    skipMethods: [everyAuthenticator, "skipMethods: their calls are anonymous, the others are not"],
    propagateHeaders: [everyAuthenticator, "propagateHeaders: the handler reads the identity"],
    onFailure: [everyAuthenticator, "onFailure hears of a refused call, and of no other"],
    cache: [everyAuthenticator, "the same credential is verified once"],
    trustSource: [internal, "a service is who knows its secret; the next one works beside it"],
    internalMethods: [internal, "beside the JWTs of end users, each on its methods"],
  },
  signedTokenTrust: {
    issuers: [internal, "a token of a named issuer, by that issuer's key alone"],
    header: [internal, "from a header of its own, removed before the handler"],
    claimsMapping: [internal, "claimsMapping says who that is"],
    audience: [internal, "a token of a named issuer, by that issuer's key alone"],
    clockToleranceSec: [
      internal,
      "clockToleranceSec, maxTokenAge and maxTokenLength hold for every issuer",
    ],
    maxTokenAge: [
      internal,
      "clockToleranceSec, maxTokenAge and maxTokenLength hold for every issuer",
    ],
    maxTokenLength: [
      internal,
      "clockToleranceSec, maxTokenAge and maxTokenLength hold for every issuer",
    ],
  },
  sharedSecretTrust: {
    secrets: [internal, "a service is who knows its secret; the next one works beside it"],
    header: [internal, "from a header of its own, and from no other"],
  },
  meshIdentityTrust: {
    allow: [internal, "an allowed SPIFFE id in the certificate of the connection"],
    sidecars: [internal, "what a trusted sidecar says of the last hop"],
  },
  createAuthzInterceptor: {
    rules: [authz, "roles are any of, scopes are all of, and both must be met"],
    authorize: [
      authz,
      "authorize decides what no rule does: true, false, and undefined for the default policy",
    ],
    defaultPolicy: [authz, "denies by default, and allows by default only when told"],
    skipMethods: [authz, "health is skipped by default; a list of one's own replaces that"],
    onDecision: [authz, "the client learns no rule; onDecision hears of every call"],
    "rules.*.name": [authz, "the client learns no rule; onDecision hears of every call"],
    "rules.*.methods": [authz, "deny rules come before allow rules, whatever their order"],
    "rules.*.effect": [authz, "deny rules come before allow rules, whatever their order"],
    "rules.*.requires": [authz, "roles are any of, scopes are all of, and both must be met"],
  },
  createProtoAuthzInterceptor: {
    rules: [
      protoAuthz,
      "rules, authorize and the default policy decide only where the proto is silent",
    ],
    authorize: [
      protoAuthz,
      "rules, authorize and the default policy decide only where the proto is silent",
    ],
    defaultPolicy: [
      protoAuthz,
      "rules, authorize and the default policy decide only where the proto is silent",
    ],
    skipMethods: [
      protoAuthz,
      "options that contradict each other do not matter to a method that is skipped",
    ],
    onDecision: ["test/auth/authz-decisions.test.ts", "decision "],
  },
  createClientBearerInterceptor: {
    token: [
      "test/auth/client-bearer.test.ts",
      "sends the token with every kind of call; one fetch for all of them",
    ],
  },
  createClientGatewayInterceptor: {
    trust: [gateway, "sends an identity that createGatewayAuthInterceptor reads back whole"],
    context: [gateway, "sends an identity that createGatewayAuthInterceptor reads back whole"],
    headerMapping: [gateway, "headerMapping is that of the service behind, and all that is sent"],
  },
};

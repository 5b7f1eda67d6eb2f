import jwt from "jsonwebtoken";
import { ConnectumError } from "../../core/index.ts";
import { checkKeys, show } from "../../core/internal.ts";
import { Refusal } from "../auth-failure.ts";
import { bearerToken } from "../credentials.ts";
import { type ClaimsMapping, claimsMapper } from "../jwt/claims-mapping.ts";
import { checkKeySourceKeys, type KeySourceOptions } from "../jwt/key-source.ts";
import { type TokenRules, TokenVerifier, tokenRuleKeys } from "../jwt/token-verifier.ts";
import { checkHeaderName } from "../trust-source.ts";
import type { InternalTrust } from "./internal-trust.ts";

export interface SignedTokenTrustOptions extends Omit<TokenRules, "issuer"> {
  /** The keys of each issuer, by the `iss` of its tokens. No key verifies another's tokens. */
  readonly issuers: Readonly<Record<string, KeySourceOptions>>;
  /** Where the token is; in `authorization` after `Bearer`. Default `authorization`. */
  readonly header?: string;
  /** Which claims describe the caller. Default: its subject is `sub`. */
  readonly claimsMapping?: ClaimsMapping;
}

/** A service is whom a token says that one of the named issuers has signed. */
export function signedTokenTrust(options: SignedTokenTrustOptions): InternalTrust {
  const ruleKeys = tokenRuleKeys.filter((key) => key !== "issuer");
  checkKeys("signedTokenTrust()", options, ["issuers", "header", "claimsMapping", ...ruleKeys]);
  const { issuers, claimsMapping, header: headerOption = "authorization", ...rules } = options;
  const header = checkHeaderName("header", headerOption);
  const verifiers = new Map<string, TokenVerifier>();
  for (const [issuer, keys] of Object.entries(issuers ?? {})) {
    const where = `issuers["${issuer}"]`;
    checkKeySourceKeys(where, keys);
    verifiers.set(issuer, new TokenVerifier(where, keys, { ...rules, issuer }));
  }
  if (verifiers.size === 0) {
    throw new ConnectumError("INVALID_OPTION", "signedTokenTrust() needs at least one issuer");
  }
  const toContext = claimsMapper(claimsMapping);
  const isBearer = header === "authorization";
  return {
    // `authorization` stays: an authenticator of end users may need it on other methods.
    headers: isBearer ? [] : [header],
    proof: (call, headers) => (isBearer ? bearerToken(call.header) : headers.get(header)),
    verify(token) {
      const verifier = verifiers.get(issuerOf(token));
      if (!verifier) throw new Refusal(`issuer ${show(issuerOf(token))} is not trusted`);
      const claims = verifier.verify(token);
      return claims instanceof Promise ? claims.then(toContext) : toContext(claims);
    },
  };
}

/** Only to choose the keys: the verifier then checks that it is true. */
function issuerOf(token: string): string {
  const payload = jwt.decode(token);
  const issuer = typeof payload === "object" ? payload?.iss : undefined;
  return typeof issuer === "string" ? issuer : "";
}

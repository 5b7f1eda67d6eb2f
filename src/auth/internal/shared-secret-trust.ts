import { ConnectumError } from "../../core/index.ts";
import { checkKeys } from "../../core/internal.ts";
import { secretMatcher } from "../constant-time.ts";
import { checkHeaderName, checkTexts } from "../trust-source.ts";
import type { InternalTrust } from "./internal-trust.ts";

export interface SharedSecretTrustOptions {
  /** Secrets by the name of the service that knows them; a list while one is being replaced. */
  readonly secrets: Readonly<Record<string, string | readonly string[]>>;
  /** Default `x-internal-secret`. */
  readonly header?: string;
}

const MIN_CHARACTERS = 32;

/**
 * A service is who knows its secret, which it sends in a header over a connection nobody can read.
 * Secrets are compared in constant time. Throws INVALID_OPTION for one shorter than 32 characters.
 */
export function sharedSecretTrust(options: SharedSecretTrustOptions): InternalTrust {
  checkKeys("sharedSecretTrust()", options, ["secrets", "header"]);
  const header = checkHeaderName("header", options.header ?? "x-internal-secret");
  const services = Object.entries(options.secrets ?? {}).map(([subject, given]) => {
    const secrets = typeof given === "string" ? [given] : given;
    checkTexts(`secrets["${subject}"]`, secrets);
    for (const secret of secrets) checkLength(subject, secret);
    return { subject, isSecret: secretMatcher(secrets) };
  });
  checkTexts(
    "the names in secrets",
    services.map(({ subject }) => subject),
  );
  return {
    headers: [header],
    proof: (_, headers) => headers.get(header),
    verify(proof) {
      let found: { subject: string } | null = null;
      for (const { subject, isSecret } of services) if (isSecret(proof)) found = { subject };
      return found;
    },
  };
}

function checkLength(subject: string, secret: string): void {
  if (secret.length >= MIN_CHARACTERS) return;
  throw new ConnectumError(
    "INVALID_OPTION",
    `the secret of "${subject}" must have at least ${MIN_CHARACTERS} characters, got ` +
      `${secret.length}; make one with: openssl rand -base64 32`,
  );
}

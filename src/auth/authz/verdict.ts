/** What came out for one call, and why. */
export interface Verdict {
  readonly allowed: boolean;
  /** A rule's name, or `public`, `internal`, `requires`, `policy`, `authorize`, `defaultPolicy`. */
  readonly rule: string;
  readonly reason: string;
  /** An identity might have helped. */
  readonly needsIdentity: boolean;
  readonly error?: unknown;
}

export function allow(rule: string, reason: string): Verdict {
  return { allowed: true, rule, reason, needsIdentity: false };
}

export function refuse(rule: string, reason: string, needsIdentity: boolean): Verdict {
  return { allowed: false, rule, reason, needsIdentity };
}

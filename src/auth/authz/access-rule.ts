/** Who may call a method, as far as it is known before a call. */
export interface AccessRule {
  readonly access: "anybody" | "authenticated" | "requirements" | "internal" | "nobody" | "decided";
  /** In words, such as `role admin or owner`. */
  readonly who: string;
  /** What says so, such as `proto: requires` or `rule "admins"`. */
  readonly why: string;
}

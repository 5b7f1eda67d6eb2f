export interface Concept {
  /** What is changed, one mutant at a time. */
  readonly mutate: readonly string[];
  /** What must notice. */
  readonly tests: readonly string[];
}

/** What decides whether a call is right, lost, doubled or refused, each with its own tests alone. */
export const concepts: Readonly<Record<string, Concept>> = {
  envelope: {
    mutate: ["src/core/wire/envelope.ts"],
    tests: ["test/core/wire/envelope.test.ts"],
  },
  method: {
    mutate: ["src/core/rpc/chain.ts", "src/core/rpc/gates.ts", "src/core/rpc/method.ts"],
    tests: ["test/core/rpc/gates.test.ts", "test/core/rpc/method.test.ts"],
  },
  stop: {
    mutate: ["src/core/drain.ts", "src/core/lifetime.ts", "src/core/shutdown-hooks.ts"],
    tests: [
      "test/core/shutdown-hooks.test.ts",
      "test/core/lifetime.test.ts",
      "test/core/server.test.ts",
      "test/core/client/client-router.test.ts",
      "test/core/stop.test.ts",
    ],
  },
  retry: {
    mutate: ["src/interceptors/retry.ts", "src/interceptors/retry-budget.ts"],
    tests: ["test/interceptors/retry-pauses.test.ts", "test/interceptors/retry.test.ts"],
  },
  breaker: {
    mutate: [
      "src/interceptors/breaker.ts",
      "src/interceptors/circuit-breaker.ts",
      "src/interceptors/retry-info.ts",
    ],
    tests: [
      "test/interceptors/retry-pauses.test.ts",
      "test/interceptors/circuit-breaker-window.test.ts",
      "test/interceptors/circuit-breaker.test.ts",
    ],
  },
  authz: {
    mutate: [
      "src/auth/authz/authz-engine.ts",
      "src/auth/authz/authz-rule.ts",
      "src/auth/authz/enforcer.ts",
      "src/auth/authz/method-auth.ts",
      "src/auth/authz/proto-rules.ts",
      "src/auth/authz/requirements.ts",
      "src/auth/authz/rule-decision.ts",
    ],
    tests: [
      "test/auth/truth-table.test.ts",
      "test/auth/authz-decisions.test.ts",
      "test/auth/authz.test.ts",
      "test/auth/proto-authz.test.ts",
    ],
  },
};

import { transportParityTest } from "connectum/testing/parity";

// Run by parity-timeout.test.ts, as a scenario that hangs fails.
transportParityTest("never ends", { timeoutMs: 50, scenario: () => new Promise(() => {}) });

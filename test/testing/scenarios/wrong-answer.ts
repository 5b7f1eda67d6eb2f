import { transportParityTest } from "connectum/testing/parity";

// Run by parity-options.test.ts: every transport gives the same answer, and not the expected one.
transportParityTest("is wrong everywhere", { scenario: () => "one", expect: "another" });

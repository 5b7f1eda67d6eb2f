export { type Compare, defaultCompare, type Outcomes } from "./compare.ts";
export type { ObservedCall, ObservedError, Outcome, TransportKind } from "./outcome.ts";
export {
  observeAll,
  type ParityOptions,
  type ScenarioContext,
  transportParityTest,
} from "./transport-parity-test.ts";

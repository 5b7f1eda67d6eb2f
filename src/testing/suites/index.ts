export { type ProtocolSuiteOptions, protocolSuite } from "./protocol-suite.ts";
export { type ResolverSuiteOptions, resolverSuite } from "./resolver-suite.ts";
export {
  type BuildServer,
  type ServerContractOptions,
  serverContractSuite,
} from "./server-contract-suite.ts";

import { defineConfig } from "tsup";

// Subpaths, which have types, and the programs of the connectum command. Splitting puts what two of
// them share into one chunk, so every module exists once at run time.
const subpaths = {
  "core/index": "src/core/index.ts",
  "core/config/index": "src/core/config/index.ts",
  "auth/index": "src/auth/index.ts",
  "auth/proto/index": "src/auth/proto/index.ts",
  "healthcheck/index": "src/healthcheck/index.ts",
  "interceptors/index": "src/interceptors/index.ts",
  "reflection/index": "src/reflection/index.ts",
  "otel/index": "src/otel/index.ts",
  "testing/index": "src/testing/index.ts",
  "testing/parity/index": "src/testing/parity/index.ts",
  "testing/suites/index": "src/testing/suites/index.ts",
};

const programs = {
  "cli/bin": "src/cli/bin.ts",
  "cli/dev-child": "src/cli/children/dev-child.ts",
  "cli/inspect-server": "src/cli/children/inspect-server.ts",
  "cli/run-suites": "src/cli/children/run-suites.ts",
};

export default defineConfig({
  entry: { ...subpaths, ...programs },
  splitting: true,
  format: ["esm"],
  target: "node18",
  platform: "node",
  removeNodeProtocol: false,
  sourcemap: true,
  dts: { entry: subpaths },
  clean: true,
});

import { defineConfig } from "tsup";

// Subpaths, which have types, and the programs of the connectum command. Splitting puts what two of
// them share into one chunk,
// so every module exists once at run time.
const subpaths = {
  "core/index": "src/core/index.ts",
  "core/config/index": "src/core/config/index.ts",
  "healthcheck/index": "src/healthcheck/index.ts",
  "interceptors/index": "src/interceptors/index.ts",
  "reflection/index": "src/reflection/index.ts",
  "otel/index": "src/otel/index.ts",
};

const programs = {
  "cli/bin": "src/cli/bin.ts",
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

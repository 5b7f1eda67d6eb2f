import { defineConfig } from "tsup";

// One entry per subpath. Splitting puts what two subpaths share into one chunk,
// so every module exists once at run time.
export default defineConfig({
  entry: {
    "core/index": "src/core/index.ts",
    "core/config/index": "src/core/config/index.ts",
    "auth/index": "src/auth/index.ts",
    "auth/proto/index": "src/auth/proto/index.ts",
    "healthcheck/index": "src/healthcheck/index.ts",
    "interceptors/index": "src/interceptors/index.ts",
    "reflection/index": "src/reflection/index.ts",
    "otel/index": "src/otel/index.ts",
  },
  splitting: true,
  format: ["esm"],
  target: "node18",
  platform: "node",
  removeNodeProtocol: false,
  sourcemap: true,
  dts: true,
  clean: true,
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { type BundlePart, bundle } from "./bundle-contents.ts";

interface Expected {
  /** Folders of ours that may be in it. */
  readonly folders: readonly string[];
  /** Packages of package.json that are loaded with it. */
  readonly now: readonly string[];
  /** Packages of package.json that are loaded when something needs them. */
  readonly later: readonly string[];
}

const rpc = ["@bufbuild/protobuf", "@connectrpc/connect"];
/** Loaded by the first call to another server. */
const client = "@connectrpc/connect-node";
const traces = [
  "@opentelemetry/api",
  "@opentelemetry/resources",
  "@opentelemetry/sdk-metrics",
  "@opentelemetry/sdk-trace-node",
];
const exporters = ["trace", "metrics", "logs"].flatMap((signal) =>
  ["grpc", "http", "proto"].map((format) => `@opentelemetry/exporter-${signal}-otlp-${format}`),
);
const otelLater = [
  "@opentelemetry/api-logs",
  ...exporters,
  "@opentelemetry/exporter-prometheus",
  "@opentelemetry/sdk-logs",
];

/** What an application gets that imports all of a subpath. */
const subpaths: Record<string, Expected> = {
  core: { folders: ["core"], now: rpc, later: [client] },
  "core/config": { folders: ["core"], now: ["zod"], later: [] },
  auth: {
    folders: ["auth", "core"],
    now: [...rpc, "jsonwebtoken"],
    later: [client, "jwks-rsa"],
  },
  "auth/proto": { folders: ["auth"], now: ["@bufbuild/protobuf"], later: [] },
  healthcheck: { folders: ["core", "healthcheck"], now: rpc, later: [client] },
  interceptors: {
    folders: ["core", "interceptors"],
    now: [...rpc, "@bufbuild/protovalidate", "@opentelemetry/api", "opossum", "pino"],
    later: [client],
  },
  reflection: { folders: ["core", "reflection"], now: rpc, later: [client] },
  otel: {
    folders: ["core", "otel"],
    now: [...rpc, ...traces, "pino"],
    later: [client, ...otelLater],
  },
  testing: {
    folders: ["auth", "core", "otel", "testing"],
    now: [...rpc, client, ...traces, "jsonwebtoken", "pino"],
    later: ["jwks-rsa", ...otelLater],
  },
  "testing/parity": {
    folders: ["core", "interceptors", "otel", "testing"],
    now: [...rpc, client, ...traces, "@bufbuild/protovalidate", "opossum", "pino"],
    later: otelLater,
  },
  "testing/suites": {
    folders: ["core", "healthcheck", "reflection", "testing"],
    now: [...rpc, client],
    later: [],
  },
};

const { dependencies, peerDependencies, exports } = JSON.parse(
  readFileSync("package.json", "utf8"),
) as Record<"dependencies" | "peerDependencies" | "exports", Record<string, unknown>>;
const declared = new Set(Object.keys({ ...dependencies, ...peerDependencies }));
const declaredIn = ({ packages }: BundlePart) => packages.filter((name) => declared.has(name));

describe("a bundled application has of this package what it imports, and nothing else", () => {
  for (const [subpath, expected] of Object.entries(subpaths)) {
    test(subpath, async () => {
      const all = `import * as all from "connectum/${subpath}"; console.log(all);`;
      const { entry, later } = await bundle(all);
      assert.deepEqual(entry.folders, expected.folders);
      assert.deepEqual(
        later.folders.filter((folder) => !expected.folders.includes(folder)),
        [],
      );
      const now = declaredIn(entry);
      assert.deepEqual(now, [...expected.now].sort());
      assert.deepEqual(
        declaredIn(later).filter((name) => !now.includes(name)),
        [...expected.later].sort(),
      );
    });
  }

  test("the list above has every subpath", () => {
    const names = Object.keys(exports).filter((key) => !["./package.json", "."].includes(key));
    assert.deepEqual(Object.keys(subpaths).sort(), names.map((key) => key.slice(2)).sort());
  });
});

const serve = `import { createServer } from "connectum/core"; createServer({ services: [] });`;

test("an application that imports core only has not one byte of health or reflection", async () => {
  const { entry, later, text } = await bundle(serve);
  assert.deepEqual([entry.folders, later.folders], [["core"], []]);
  for (const name of ["grpc.health.v1", "grpc.reflection", "HealthcheckManager"]) {
    assert.ok(!text.includes(name), name);
  }
});

test("the same bundle with health has it, so the check above can fail", async () => {
  const { entry, text } = await bundle(
    `${serve} import { Healthcheck } from "connectum/healthcheck"; Healthcheck();`,
  );
  assert.deepEqual(entry.folders, ["core", "healthcheck"]);
  assert.ok(text.includes("HealthcheckManager"));
});

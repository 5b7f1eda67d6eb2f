import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";

async function bundle(code: string): Promise<{ text: string; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: process.cwd() },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    outdir: "out",
    write: false,
    metafile: true,
  });
  return {
    text: outputFiles.map((file) => file.text).join("\n"),
    inputs: Object.keys(metafile.inputs),
  };
}

const serve = `import { createServer } from "connectum/core"; createServer({ services: [] });`;

test("an application that imports core only has not one byte of health or reflection", async () => {
  const { text, inputs } = await bundle(serve);
  assert.deepEqual(
    inputs.filter((input) => /healthcheck|reflection/.test(input)),
    [],
  );
  for (const name of ["grpc.health.v1", "grpc.reflection", "HealthcheckManager"]) {
    assert.ok(!text.includes(name), name);
  }
});

test("the same bundle with health has it, so the check above can fail", async () => {
  const { text } = await bundle(
    `${serve} import { Healthcheck } from "connectum/healthcheck"; Healthcheck();`,
  );
  assert.ok(text.includes("HealthcheckManager"));
});

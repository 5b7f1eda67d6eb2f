import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { calls, protocols, record, semconvs } from "./golden-calls.ts";

// Registers what carries the active span through asynchronous code, and the W3C propagator.
new NodeTracerProvider().register();

// `UPDATE_GOLDEN=1` writes the files anew; read the difference before it is committed.
const isUpdating = process.env.UPDATE_GOLDEN === "1";

for (const protocol of protocols) {
  // gRPC-Web counts as gRPC: its trees are the same.
  const name = protocol.replace("gRPC-Web", "gRPC").replace(" ", "-").toLowerCase();
  const file = new URL(`golden/${name}.txt`, import.meta.url);
  const golden = isUpdating ? new Map<string, string>() : read(file);
  const written: string[] = [];

  for (const call of calls) {
    test(`${protocol}: ${call.join(", ")}`, { timeout: 20_000 }, async (t) => {
      const trees = await Promise.all(
        semconvs.map((semconv) => record(t, protocol, semconv, call)),
      );
      for (const [index, semconv] of semconvs.entries()) {
        const title = `${call.join(", ")}, ${semconv}`;
        const lines = trees[index]?.join("\n");
        if (isUpdating) written.push(`# ${title}\n${lines}\n`);
        else assert.equal(lines, golden.get(title));
      }
    });
  }

  if (isUpdating) test(`${protocol}: written`, () => writeFileSync(file, written.join("\n")));
  else {
    test(`${protocol}: the golden file has no other calls`, () => {
      assert.equal(golden.size, calls.length * semconvs.length);
    });
  }
}

function read(file: URL): Map<string, string> {
  const sections = readFileSync(file, "utf8").split(/^# /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [title = "", ...lines] = section.trimEnd().split("\n");
      return [title, lines.join("\n")];
    }),
  );
}

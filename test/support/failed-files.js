import { relative } from "node:path";

/**
 * A reporter of node:test that lists the files with a failing test, a line each. JavaScript, because
 * node:test loads its reporters before tsx is there.
 */
// biome-ignore lint/style/noDefaultExport: node:test asks for it
export default async function* failedFiles(events) {
  const files = new Set();
  for await (const { type, data } of events) {
    if (type === "test:fail" && data.file) files.add(relative(process.cwd(), data.file));
  }
  for (const file of files) yield `${file}\n`;
}

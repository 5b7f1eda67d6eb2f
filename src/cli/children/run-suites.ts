import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { Server } from "../../core/index.ts";
import { messageOf } from "../cli-error.ts";
import { reportError } from "../report-error.ts";
import { loadServer } from "./load-server.ts";

interface Suites {
  serverContractSuite(build: () => Promise<Server>, options: { readonly name: string }): void;
}

// Runs as a child process: node:test runs what is registered here.
const [, , entry = ""] = process.argv;
try {
  // Checked once, so that a module without a server is one clear line and not a failed test each.
  await loadServer(entry);
  const require = createRequire(`${process.cwd()}/package.json`);
  const path = pathToFileURL(require.resolve("connectum/testing/suites")).href;
  const { serverContractSuite } = (await import(path)) as Suites;
  // A server starts once, so each test gets one of its own: a module of its own, if it is the default.
  let copies = 0;
  serverContractSuite(() => loadServer(entry, `copy=${copies++}`), { name: entry });
} catch (error) {
  reportError(error instanceof Error ? error : new Error(messageOf(error)));
  process.exit(1);
}

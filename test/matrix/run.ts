import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { nodeBinary, nodeMajors } from "./node-versions.ts";

// Packs the package, installs it into fresh projects as a user would, and runs the consumer test of
// ./consumer there on several Node versions. Usage: npm run test:matrix [-- 18 24]

const asked = process.argv.slice(2).map(Number);
const majors = asked.length > 0 ? asked : nodeMajors;
const work = mkdtempSync(join(tmpdir(), "connectum-matrix-"));

/** Oldest versions the peer ranges admit, and the newest. */
const peerSets = {
  newest: [],
  oldest: [
    "@connectrpc/connect@2.0.4",
    "@connectrpc/connect-node@2.0.4",
    "@bufbuild/protobuf@2.7.0",
  ],
};

try {
  const [{ filename }] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--pack-destination", work], { encoding: "utf8" }),
  );
  let failed = 0;
  let passed = 0;
  for (const [name, peers] of Object.entries(peerSets)) {
    const project = createProject(name, [join(work, filename), ...peers]);
    // The oldest peers matter on the oldest Node, which newer ones no longer declare.
    for (const major of name === "oldest" ? majors.slice(0, 1) : majors) {
      const started = performance.now();
      const { status } = spawnSync(nodeBinary(major), ["--test", "consumer.test.js"], {
        cwd: project,
        stdio: "inherit",
      });
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`Node ${major}, ${name} peers: ${status === 0 ? "ok" : "FAILED"} (${seconds} s)`);
      if (status === 0) passed++;
      else failed++;
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(work, { recursive: true });
}

function createProject(name: string, packages: string[]): string {
  const project = join(work, name);
  cpSync("test/matrix/consumer", project, { recursive: true });
  cpSync("examples/greeter/gen", join(project, "gen"), { recursive: true });
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  execFileSync("npm", ["install", "--no-audit", "--no-fund", ...packages], {
    cwd: resolve(project),
    stdio: ["ignore", "ignore", "inherit"],
  });
  return project;
}

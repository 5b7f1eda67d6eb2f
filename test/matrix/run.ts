import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { nodeBinary, nodeMajors } from "./node-versions.ts";

// Packs the package, installs it into fresh projects as a user would, runs the tests of ./consumer
// there on several Node versions, and compiles its types with several versions of TypeScript.
// Usage: npm run test:matrix [-- 18 24]

const asked = process.argv.slice(2).map(Number);
const majors = asked.length > 0 ? asked : nodeMajors;
const work = mkdtempSync(join(tmpdir(), "connectum-matrix-"));

/** Oldest versions the peer ranges admit, and the newest. */
const peerSets = {
  newest: [],
  oldest: [
    "@connectrpc/connect@2.0.4",
    "@connectrpc/connect-node@2.0.4",
    "@bufbuild/protobuf@2.8.0",
  ],
};

/** What connectum/testing asks its users to install for clocks and certificates. */
const testingPeers = ["@sinonjs/fake-timers", "@peculiar/x509", "reflect-metadata"];
const typescripts = ["5.4", "5.9", "latest"];
const resolutions = [
  ["--module", "nodenext"],
  ["--module", "esnext", "--moduleResolution", "bundler"],
];

try {
  const [{ filename }] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--pack-destination", work], { encoding: "utf8" }),
  );
  let failed = 0;
  let passed = 0;
  for (const [name, peers] of Object.entries(peerSets)) {
    const project = createProject(name, [join(work, filename), ...testingPeers, ...peers]);
    // The oldest peers matter on the oldest Node, which newer ones no longer declare.
    for (const major of name === "oldest" ? majors.slice(0, 1) : majors) {
      const started = performance.now();
      const { status } = spawnSync(
        nodeBinary(major),
        ["--test", "consumer.test.js", "testing.test.js"],
        {
          cwd: project,
          stdio: "inherit",
        },
      );
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`Node ${major}, ${name} peers: ${status === 0 ? "ok" : "FAILED"} (${seconds} s)`);
      if (status === 0) passed++;
      else failed++;
    }
  }
  for (const version of typescripts) {
    const compiles = compileTypes(join(work, "newest"), version);
    console.log(`TypeScript ${version}: ${compiles ? "ok" : "FAILED"}`);
    if (compiles) passed++;
    else failed++;
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

function compileTypes(project: string, version: string): boolean {
  const prefix = join(work, `typescript-${version}`);
  const install = ["install", "--no-audit", "--no-fund", "--prefix", prefix];
  execFileSync("npm", [...install, `typescript@${version}`], { stdio: "ignore" });
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "@types/node@20"], {
    cwd: project,
    stdio: "ignore",
  });
  return resolutions.every((resolution) => {
    const strict = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"];
    const types = ["--types", "node", "--lib", "es2022,dom,esnext.disposable"];
    const tsc = join(prefix, "node_modules/.bin/tsc");
    const args = [...strict, ...types, ...resolution, "types.ts"];
    return spawnSync(tsc, args, { cwd: project, stdio: "inherit" }).status === 0;
  });
}

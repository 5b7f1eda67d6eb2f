import { resolve } from "node:path";
import { nodeBinary, nodeMajors } from "../../matrix/node-versions.ts";
import { Drive } from "./drive.ts";
import { packCommand } from "./prepare.ts";

// Drives every command from the packed tarball on several Node versions.
// Usage: npm run test:cli [-- 18 24]

const asked = process.argv.slice(2).map(Number);
const majors = asked.length > 0 ? asked : nodeMajors;
const steps = [
  "init",
  "plain",
  "startCallStop",
  "drain",
  "work",
  "suites",
  "access",
  "dev",
] as const;
const packed = packCommand();
let failed = 0;

try {
  for (const major of majors) {
    const drive = new Drive(packed, nodeBinary(major), `node-${major}`);
    for (const step of steps) {
      const started = performance.now();
      try {
        await drive[step]();
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        console.log(`Node ${major}, ${step}: ok (${seconds} s)`);
      } catch (error) {
        failed++;
        console.log(`Node ${major}, ${step}: FAILED\n${error}`);
      }
    }
    await drive.kubernetes(resolve(".tools/bin/cli-k8s-check"));
  }
} finally {
  packed.remove();
}
console.log(failed === 0 ? "all passed" : `${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

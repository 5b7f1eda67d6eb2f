import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { lineOf } from "./connectum.ts";
import {
  type BuiltImage,
  dropUnavailable,
  runDockerfile,
  startImage,
} from "./packed/dockerfile.ts";
import { Drive } from "./packed/drive.ts";
import { type PackedCommand, packCommand } from "./packed/prepare.ts";

const checker = resolve(".tools/bin/cli-k8s-check");
const skipKubernetes =
  !existsSync(checker) &&
  !process.env.CI &&
  "cli-k8s-check is not built; `npm run tools` builds it";

// All Node versions: npm run test:cli.
describe("the packed command, as a person drives it", () => {
  let packed: PackedCommand;
  let drive: Drive;
  let plain: Promise<void>;
  let building: Promise<BuiltImage>;
  before(async () => {
    packed = packCommand();
    drive = new Drive(packed, process.execPath, "person");
    await drive.init();
    // What has files of its own runs beside the tests that come before the one that awaits it.
    plain = drive.plain();
    plain.catch(() => {});
    const context = join(packed.work, "context");
    cpSync(drive.project, context, {
      recursive: true,
      filter: (path) => path !== join(drive.project, "node_modules"),
    });
    dropUnavailable(join(context, "package-lock.json"));
    building = runDockerfile(context, join(packed.work, "image"));
    building.catch(() => {});
  });
  after(() => packed.remove());

  test("npm start prints a call that is answered; a stop drains", () => drive.startCallStop());
  test("a stop under constant load loses no call and exits with 0", () => drive.drain());
  test("add, generate, catalog and doctor", () => drive.work());
  test("connectum test passes", () => drive.suites());
  test("auth explain shows who may call what", () => drive.access());
  test("dev restarts on a change and leaves no port open", () => drive.dev());

  test("init --yes, npm test, npm start and the call it prints", () => plain);

  test("the manifests are valid Kubernetes objects", { skip: skipKubernetes }, () =>
    drive.kubernetes(checker),
  );

  test("the steps of the Dockerfile make an image that serves and is healthy", async (t) => {
    const image = await building;
    const server = startImage(image, "0");
    t.after(() => server.kill("SIGKILL"));
    const line = await lineOf(server, /localhost:\d+/);
    const [address = ""] = /localhost:\d+/.exec(line) ?? [];
    const [program = "", ...args] = image.healthcheck;
    assert.deepEqual(args, ["health", "localhost:5000"]);
    const health = spawnSync(program, ["health", address], { cwd: image.root, encoding: "utf8" });
    assert.deepEqual([health.status, health.stdout], [0, "SERVING\n"]);
    assert.ok(!existsSync(join(image.root, "node_modules/typescript")), "development packages");
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import { connectum, lineOf, startConnectum } from "./connectum.ts";
import { createGeneratedProject, createProject, temporaryFolder } from "./workspace.ts";

describe("connectum generate", { concurrency: 2 }, () => {
  test("makes code with the template of the project", async (t) => {
    const cwd = await createProject(t);
    const { code, stdout, stderr } = await connectum(["generate"], { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^generated with buf\.gen\.yaml in \d+ ms\n$/);
    assert.ok(existsSync(join(cwd, "gen/shop/v1/shop_pb.js")));
  });

  test("without a template makes JavaScript with types in --out", async (t) => {
    const cwd = await createProject(t);
    rmSync(join(cwd, "buf.gen.yaml"));
    const { code, stderr } = await connectum(["generate", "--out", "made"], { cwd });
    assert.equal(code, 0, stderr);
    assert.ok(existsSync(join(cwd, "made/shop/v1/shop_pb.d.ts")));
  });

  test("shows what buf says about a broken schema, exit code 1", async (t) => {
    const cwd = await createProject(t);
    appendFileSync(join(cwd, "proto/shop/v1/shop.proto"), "nonsense\n");
    const { code, stderr } = await connectum(["generate"], { cwd });
    assert.equal(code, 1);
    assert.match(stderr, /^error: buf could not generate code\n.*shop\.proto:\d+:1:/);
  });

  test("says what to install when buf is missing", async (t) => {
    const cwd = temporaryFolder(t);
    writeFileSync(join(cwd, "package.json"), "{}");
    const { code, stderr } = await connectum(["generate"], { cwd, env: { PATH: "/nowhere" } });
    assert.equal(code, 1);
    assert.equal(
      stderr,
      "error: buf is not installed\nhint: install it: npm install --save-dev @bufbuild/buf @bufbuild/protoc-gen-es\n",
    );
  });

  test("outside of a project says how to make one", async (t) => {
    const { code, stderr } = await connectum(["generate"], { cwd: temporaryFolder(t) });
    assert.equal(code, 1);
    assert.match(stderr, /^error: no package\.json in .*\nhint: .*connectum init\n$/);
  });

  test("--watch generates again on a change", async (t) => {
    const cwd = await createProject(t);
    const { child, result } = startConnectum(["generate", "--watch"], { cwd });
    await lineOf(child, /^generated with/);
    const again = lineOf(child, /^generated with/);
    appendFileSync(join(cwd, "proto/shop/v1/shop.proto"), "message Added {}\n");
    await again;
    assert.match(readFileSync(join(cwd, "gen/shop/v1/shop_pb.d.ts"), "utf8"), /AddedSchema/);
    child.kill("SIGINT");
    assert.equal((await result).code, 0);
  });
});

describe("connectum add service", { concurrency: 2 }, () => {
  test("adds schema, handler and test, registered, in buf's own style", async (t) => {
    const cwd = await createProject(t);
    const added = await connectum(["add", "service", "OrderItems"], { cwd });
    assert.equal(added.code, 0, added.stderr);
    assert.match(
      readFileSync(join(cwd, "src/services/index.ts"), "utf8"),
      /^import \{ shop \} from "\.\/shop\.ts";\nimport \{ orderItems \} from "\.\/order-items\.ts";\n[\s\S]*= \[shop, orderItems\];\n$/,
    );
    const handler = readFileSync(join(cwd, "src/services/order-items.ts"), "utf8");
    assert.match(handler, /defineService\(OrderItemsService, /);
    const lint = spawnSync(join(cwd, "node_modules/.bin/buf"), ["lint"], { cwd, encoding: "utf8" });
    assert.equal(lint.status, 0, lint.stdout);
  });

  test("refuses a name that is taken, and changes nothing", async (t) => {
    const cwd = await createProject(t);
    const before = readFileSync(join(cwd, "src/services/index.ts"), "utf8");
    const { code, stderr } = await connectum(["add", "service", "Shop"], { cwd });
    assert.equal(code, 1);
    assert.match(stderr, /^error: proto\/shop\/v1\/shop\.proto is there already\nhint: /);
    assert.equal(readFileSync(join(cwd, "src/services/index.ts"), "utf8"), before);
  });

  test("says what to add by hand where it cannot register", async (t) => {
    const cwd = await createProject(t);
    writeFileSync(join(cwd, "src/services/index.ts"), "export default [];\n");
    const { code, stderr } = await connectum(["add", "service", "Orders"], { cwd });
    assert.equal(code, 1);
    assert.match(stderr, /hint: add it by hand: services: \[orders\]/);
    assert.ok(!existsSync(join(cwd, "src/services/orders.ts")));
  });
});

describe("commands that load a server module", { concurrency: 2 }, () => {
  test("catalog lists services of generated code, typed, and --check finds drift", async (t) => {
    const cwd = await createGeneratedProject(t);
    const written = await connectum(["catalog"], { cwd });
    assert.equal(written.code, 0, written.stderr);
    assert.equal(written.stdout, "src/catalog.ts: 1 services, 1 mounted here\n");
    assert.match(
      readFileSync(join(cwd, "src/catalog.ts"), "utf8"),
      /import \{ ShopService \} from "#gen\/shop\/v1\/shop_pb\.js";[\s\S]*"shop\.v1\.ShopService": ShopService,/,
    );
    assert.equal((await connectum(["catalog", "--check"], { cwd })).code, 0);
    await connectum(["add", "service", "Orders"], { cwd });
    const early = await connectum(["catalog", "--check"], { cwd });
    assert.equal(
      early.stderr,
      "error: src/server.ts needs generated code that is not there: gen/orders/v1/orders_pb.js\nhint: generate the code first: connectum generate\n",
    );
    await connectum(["generate"], { cwd });
    const drift = await connectum(["catalog", "--check"], { cwd });
    assert.equal(drift.code, 1);
    assert.match(
      drift.stderr,
      /^error: src\/catalog\.ts is out of date\nhint: .*connectum catalog\n$/,
    );
  });

  test("a module without a server says what to export", async (t) => {
    const cwd = await createGeneratedProject(t);
    writeFileSync(join(cwd, "src/server.ts"), "export const port = 1;\n");
    for (const command of [["catalog"], ["auth", "explain"]]) {
      const { code, stderr } = await connectum(command, { cwd });
      assert.equal(code, 1);
      assert.match(stderr, /exports no server\nhint: export a function buildServer\(\): Server/);
    }
  });

  test("a module that throws is one line, with its stack by --verbose", async (t) => {
    const cwd = await createGeneratedProject(t);
    writeFileSync(join(cwd, "src/server.ts"), 'throw new Error("no database");\n');
    const { code, stderr } = await connectum(["catalog"], { cwd });
    assert.equal(code, 1);
    assert.match(stderr, /^error: .*server\.ts cannot be loaded: no database\n$/);
    const verbose = await connectum(["catalog", "--verbose"], { cwd });
    assert.match(verbose.stderr, /at .*src\/server\.ts:1/);
  });
});

describe("connectum doctor", { concurrency: 2 }, () => {
  interface Finding {
    readonly level: string;
    readonly subject: string;
    readonly message: string;
    readonly hint?: string;
  }

  async function findings(cwd: string, ...args: string[]) {
    const { code, stdout, stderr } = await connectum(["doctor", "--json", "--port", "0", ...args], {
      cwd,
    });
    assert.equal(stderr, "");
    return {
      code,
      problems: (JSON.parse(stdout) as Finding[]).filter(({ level }) => level !== "ok"),
    };
  }

  test("finds nothing wrong with a new project", async (t) => {
    assert.deepEqual(await findings(await createProject(t)), { code: 0, problems: [] });
  });

  test("finds a second copy that a dependency loads", async (t) => {
    const cwd = await createProject(t);
    const name = "@bufbuild/protobuf";
    const dependency = join(cwd, "node_modules/some-lib");
    mkdirSync(join(dependency, "node_modules/@bufbuild"), { recursive: true });
    writeFileSync(
      join(dependency, "package.json"),
      JSON.stringify({ version: "1.0.0", dependencies: { [name]: "2.0.0" } }),
    );
    cpSync(
      resolve("node_modules", name, "package.json"),
      join(dependency, "node_modules", name, "package.json"),
    );
    const manifest = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8"));
    manifest.dependencies["some-lib"] = "1.0.0";
    writeFileSync(join(cwd, "package.json"), JSON.stringify(manifest));
    const { code, problems } = await findings(cwd);
    assert.equal(code, 1);
    assert.deepEqual(
      problems.map(({ subject }) => subject),
      [`copies of ${name}`],
    );
    assert.match(problems[0]?.message ?? "", /^2: .*some-lib/);
  });

  test("finds missing peers, missing buf and a wrong module type", async (t) => {
    const cwd = temporaryFolder(t);
    writeFileSync(join(cwd, "package.json"), "{}");
    mkdirSync(join(cwd, "node_modules"));
    symlinkSync(resolve("."), join(cwd, "node_modules/connectum"));
    const { code, stdout } = await connectum(["doctor", "--port", "0"], {
      cwd,
      env: { PATH: "/nowhere" },
    });
    assert.equal(code, 1);
    assert.match(stdout, /^error {4}package\.json type: is not "module"/m);
    assert.match(stdout, /^error {4}@connectrpc\/connect: is not installed\n {9}npm install/m);
    assert.match(stdout, /^warning {2}buf: is not installed$/m);
  });

  test("finds a port that is in use", async (t) => {
    const cwd = await createProject(t);
    const server = createServer().listen(0);
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { stdout } = await connectum(["doctor", "--port", String(port)], { cwd });
    assert.match(stdout, new RegExp(`^warning  port ${port}: is in use$`, "m"));
  });
});

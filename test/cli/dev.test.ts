import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { connectum, jsonLines, lineOf, startConnectum } from "./connectum.ts";
import { createProject, temporaryFolder } from "./workspace.ts";

const LISTENS = /listens on port \d+ after \d+ ms/;

function portIn(line: string): number {
  return Number(/port (\d+)/.exec(line)?.[1]);
}

/** Whether somebody listens. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when a process is gone; the test's own time limit is the limit. */
async function isGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((done) => setTimeout(done, 20));
}

function startDev(t: TestContext, cwd: string, env: NodeJS.ProcessEnv = {}, args: string[] = []) {
  const { child, result } = startConnectum(["dev", ...args], { cwd, env: { PORT: "0", ...env } });
  t.after(() => {
    if (child.exitCode === null) child.kill("SIGTERM");
  });
  return { child, result };
}

/** A server without schema and packages: it tells its process id and starts a process of its own. */
function bareProject(t: TestContext): string {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(
    join(folder, "server.js"),
    `import { spawn } from "node:child_process";
import { createServer } from "node:http";
const helper = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
createServer().listen(Number(process.env.PORT), () => console.log("pids", process.pid, helper.pid));
`,
  );
  return folder;
}

function pidsIn(line: string): number[] {
  return line.split(" ").slice(1).map(Number);
}

/** The next line that matches, from now on. */
function next(child: ChildProcess, pattern: RegExp): Promise<string> {
  return lineOf(child, pattern);
}

describe("connectum dev", { concurrency: 2 }, () => {
  test("restarts on a change of code, generates on a change of the schema", async (t) => {
    const cwd = await createProject(t);
    const { child, result } = startDev(t, cwd);
    const first = portIn(await next(child, LISTENS));

    const call = async (port: number, service: string) => {
      const url = `http://127.0.0.1:${port}`;
      const args = ["call", url, `shop.v1.ShopService/${service}`, "-d", '{"name":"Ada"}'];
      const { code, stdout, stderr } = await connectum(args);
      assert.equal(code, 0, stderr);
      return jsonLines(stdout);
    };
    assert.deepEqual(await call(first, "SayHello"), [{ greeting: "Hello, Ada!" }]);

    const handler = join(cwd, "src/services/shop.ts");
    const changed = next(child, /^dev \S+ src\/services\/shop\.ts changed: listens/);
    writeFileSync(handler, readFileSync(handler, "utf8").replace("Hello, ", "Welcome, "));
    assert.deepEqual(await call(portIn(await changed), "SayHello"), [
      { greeting: "Welcome, Ada!" },
    ]);

    const schema = join(cwd, "proto/shop/v1/shop.proto");
    const generated = next(child, /^dev \S+ generated code in \d+ ms/);
    const listening = next(child, /shop\.proto changed: listens/);
    const rpc = "rpc SayBye(SayHelloRequest) returns (SayHelloResponse);";
    writeFileSync(
      schema,
      readFileSync(schema, "utf8").replace("service ShopService {", `$&\n  ${rpc}`),
    );
    await generated;
    const { stdout } = await connectum([
      "list",
      `127.0.0.1:${portIn(await listening)}`,
      "shop.v1.ShopService",
    ]);
    assert.match(stdout, /ShopService\/SayBye/);

    const refused = next(child, /^error: buf could not generate code/);
    appendFileSync(schema, "nonsense\n");
    await refused;
    assert.ok(await isOpen(portIn(await listening)), "a broken schema leaves the server running");

    child.kill("SIGINT");
    assert.equal((await result).code, 0);
    assert.ok(!(await isOpen(portIn(await listening))));
  });

  test("waits for a change when the entry fails, and starts again", async (t) => {
    const cwd = bareProject(t);
    const { child } = startDev(t, cwd);
    await next(child, LISTENS);
    const path = join(cwd, "server.js");
    const good = readFileSync(path, "utf8");
    const failed = next(child, /server\.js ended with code 1; waiting for a change/);
    writeFileSync(path, "throw new Error('broken');");
    await failed;
    const again = next(child, LISTENS);
    writeFileSync(path, good);
    await again;
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    test(`${signal} leaves no process and no port behind`, async (t) => {
      const { child, result } = startDev(t, bareProject(t));
      const listens = next(child, LISTENS);
      const pids = pidsIn(await next(child, /^pids /));
      const port = portIn(await listens);
      child.kill(signal);
      assert.equal((await result).code, 0);
      await Promise.all(pids.map(isGone));
      assert.ok(!(await isOpen(port)));
    });
  }

  test("a server that will not stop is killed after --stop-timeout-ms", async (t) => {
    const cwd = bareProject(t);
    appendFileSync(join(cwd, "server.js"), 'process.on("SIGTERM", () => {});\n');
    const { child, result } = startDev(t, cwd, {}, ["--stop-timeout-ms", "100"]);
    const listens = next(child, LISTENS);
    const pids = pidsIn(await next(child, /^pids /));
    await listens;
    child.kill("SIGTERM");
    await result;
    await Promise.all(pids.map(isGone));
  });

  test("when dev itself is killed, the server ends by itself", async (t) => {
    const { child } = startDev(t, bareProject(t));
    const listens = next(child, LISTENS);
    const [server = 0] = pidsIn(await next(child, /^pids /));
    await listens;
    child.kill("SIGKILL");
    await isGone(server);
  });

  test("sees files in folders that are made later", async (t) => {
    const cwd = bareProject(t);
    const { child } = startDev(t, cwd);
    await next(child, LISTENS);
    const changed = next(child, /new\/deep\/file\.js changed: listens/);
    mkdirSync(join(cwd, "new/deep"), { recursive: true });
    writeFileSync(join(cwd, "new/deep/file.js"), "");
    await changed;
  });

  test("says what is missing when there is no entry", async (t) => {
    const cwd = temporaryFolder(t);
    writeFileSync(join(cwd, "package.json"), "{}");
    const { code, stderr } = await connectum(["dev"], { cwd });
    assert.equal(code, 2);
    assert.equal(stderr, "error: no server module found\nhint: name it, such as src/server.ts\n");
  });
});

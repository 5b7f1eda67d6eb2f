import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { delimiter, dirname, join, relative } from "node:path";
import { lineOf } from "../connectum.ts";
import { inTerminal, plain } from "../terminal.ts";
import { loadOfConnect, loadOfGrpc } from "./load.ts";
import { npmInstall, type PackedCommand } from "./prepare.ts";

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Drives every command as a person would, on one Node version, in a project that the packed command
 * makes. Throws at the first thing that is not as it should be.
 */
export class Drive {
  readonly #packed: PackedCommand;
  readonly #node: string;
  readonly #cwd: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(packed: PackedCommand, node: string, name: string) {
    this.#packed = packed;
    this.#node = node;
    this.#cwd = join(packed.work, name);
    this.#env = {
      ...process.env,
      PATH: [dirname(node), process.env.PATH].join(delimiter),
      PORT: "0",
      // Else node:test takes the tests of the project for its own.
      NODE_TEST_CONTEXT: undefined,
    };
  }

  get project(): string {
    return join(this.#cwd, "shop");
  }

  /** `init` with answers typed into a terminal, then what it prints: install. */
  async init(): Promise<void> {
    const { work, bin, tarball } = this.#packed;
    const { code, output } = await inTerminal(["init", this.project, "--connectum", tarball], {
      cwd: work,
      node: this.#node,
      bin,
      steps: [
        { expect: "called?", send: "\r" },
        { expect: "How much", send: "\u001b[B\r" },
      ],
    });
    assert.equal(code, 0, output);
    // Then npm start prints the call: four commands to the first answer.
    const folder = relative(work, this.project);
    const [, written = ""] = plain(output).split("files written to");
    assert.deepEqual(written.match(/(?<=^ {2})\S.*/gm), [
      `cd ${folder} && npm install`,
      "npm start",
    ]);
    npmInstall(this.project);
  }

  /**
   * `init` without questions makes a smaller project with the same packages; `npm test`, `npm start`
   * and the call it prints work there too.
   */
  async plain(): Promise<void> {
    const { bin, tarball } = this.#packed;
    const plainProject = join(this.#cwd, "plain");
    const init = [bin, "init", plainProject, "--yes", "--connectum", tarball];
    execFileSync(this.#node, init, { stdio: ["ignore", "ignore", "inherit"] });
    const manifest = (project: string) => {
      return JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
    };
    assert.deepEqual({ ...manifest(plainProject), name: "shop" }, manifest(this.project));
    symlinkSync(join(this.project, "node_modules"), join(plainProject, "node_modules"));
    await this.#succeeds("npm test", plainProject);
    const server = this.#start("npm start", plainProject);
    const call = await lineOf(server, /npx connectum call localhost:\d+/);
    const { stdout } = await this.#succeeds(call.trim(), plainProject);
    assert.deepEqual(JSON.parse(stdout), { greeting: "Hello, Ada!" });
    signal(server, "SIGTERM");
    await ended(server);
  }

  /** `npm start`, the call it prints, every command for running servers, and a stop. */
  async startCallStop(): Promise<void> {
    const handler = join(this.project, "src/services/shop.ts");
    const source = readFileSync(handler, "utf8");
    // What npm start builds is what drain() runs.
    writeFileSync(handler, countingCalls(source));
    const server = this.#start("npm start");
    const call = await lineOf(server, /npx connectum call localhost:\d+/);
    assert.deepEqual(JSON.parse((await this.#succeeds(call.trim())).stdout), {
      greeting: "Hello, Ada!",
    });
    const [, address = "", port = ""] = /(localhost:(\d+))/.exec(call) ?? [];
    const list = await this.#succeeds(`connectum list ${address}`);
    assert.match(list.stdout, /^shop\.v1\.ShopService$/m);
    const describe = await this.#succeeds(`connectum describe ${address} shop.v1.ShopService`);
    assert.match(describe.stdout, /rpc Repeat\(RepeatRequest\) returns \(stream RepeatResponse\)/);
    assert.equal((await this.#succeeds(`connectum health ${address}`)).stdout, "SERVING\n");
    await this.#succeeds(`connectum proto sync --from ${address} --out clients`);
    assert.ok(existsSync(join(this.project, "clients/shop/v1/shop_pb.js")));
    rmSync(join(this.project, "clients"), { recursive: true });
    const refused = await this.#run(`connectum call ${address} shop.v1.ShopService/SayHello`);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /^error: invalid_argument: [^\n]*\n {2}buf\.validate\.Violations name: .*\[string\.min_len\]$/m,
    );

    const watch = this.#start(`connectum health ${address} --watch`);
    await lineOf(watch, /SERVING/);
    const drained = lineOf(watch, /NOT_SERVING/);
    signal(server, "SIGTERM");
    await drained;
    await ended(server);
    await ended(watch);
    assert.ok(!(await isOpen(Number(port))), "the port is still open");
    writeFileSync(handler, source);
  }

  /** Two instances of what was built, under constant load; one and then the other is told to stop. */
  async drain(): Promise<void> {
    const [first, second] = [this.#instance(), this.#instance()];
    const addresses = await Promise.all([first, second].map(addressOf));
    const loads = [
      loadOfGrpc(addresses),
      loadOfGrpc(addresses.slice(0, 1)),
      loadOfConnect(addresses[0] ?? ""),
    ] as const;
    const [both] = loads;
    await Promise.all(loads.map((load) => load.more(50)));
    const handledByFirst = await stopped(first);
    await both.more(50);
    await Promise.all(loads.map((load) => load.stop()));
    const handled = handledByFirst + (await stopped(second));
    // A client that has another server to go to does not notice.
    assert.deepEqual(both.failures(), []);
    // The handlers ran for calls that were accepted, and for no other.
    const answered = loads.reduce((sum, load) => sum + load.answered(), 0);
    assert.equal(answered, handled, "calls that were accepted have no answer");
  }

  /** Everything that works on the project. */
  async work(): Promise<void> {
    await this.#succeeds("connectum add service Orders");
    await this.#succeeds("connectum generate");
    await this.#succeeds("node --import tsx --test test/*.test.ts");
    await this.#succeeds("connectum catalog");
    const use =
      'import { catalog } from "./catalog.ts";\nimport { buildServer } from "./server.ts";\n';
    appendFileSync(
      join(this.project, "src/use.ts"),
      `${use}export const reply = buildServer()\n  .client(catalog["orders.v1.OrdersService"])\n  .sayHello({ name: "" });\n`,
    );
    await this.#succeeds("tsc");
    await this.#succeeds("connectum catalog --check");
    const doctor = await this.#succeeds("connectum doctor --port 0 --json");
    const problems = JSON.parse(doctor.stdout).filter(
      ({ level }: { level: string }) => level !== "ok",
    );
    assert.deepEqual(problems, []);
  }

  async suites(): Promise<void> {
    const { stdout } = await this.#succeeds("connectum test");
    assert.match(stdout, /fail 0/);
    assert.doesNotMatch(stdout, /tests 0/);
  }

  async access(): Promise<void> {
    const { stdout } = await this.#succeeds("connectum auth explain");
    assert.match(stdout, /shop\.v1\.ShopService\/SayHello +anybody/);
    assert.match(stdout, /shop\.v1\.ShopService\/Repeat .*shop:read/);
  }

  async dev(): Promise<void> {
    const dev = this.#start("connectum dev");
    const listens = await lineOf(dev, /^dev .* listens on port \d+/);
    const restarted = lineOf(dev, /shop\.ts changed: listens on port \d+ after \d+ ms/);
    appendFileSync(join(this.project, "src/services/shop.ts"), "\n");
    const again = await restarted;
    signal(dev, "SIGINT");
    await ended(dev);
    for (const line of [listens, again]) {
      assert.ok(!(await isOpen(Number(/port (\d+)/.exec(line)?.[1]))), "dev left a port open");
    }
  }

  /** Kubernetes objects, as k8s.io/api's own types read them. */
  async kubernetes(checker: string): Promise<void> {
    const kinds: string[] = [];
    for (const name of readdirSync(join(this.project, "k8s"))) {
      const manifest = readFileSync(join(this.project, "k8s", name), "utf8");
      const { code, stdout, stderr } = await this.#run(checker, manifest);
      assert.equal(code, 0, stderr);
      kinds.push(...stdout.trim().split("\n"));
    }
    assert.deepEqual(kinds, ["apps/v1 Deployment", "v1 Service", "policy/v1 PodDisruptionBudget"]);
    // The check can fail.
    const typo = await this.#run(checker, "apiVersion: v1\nkind: Service\nspec:\n  prots: []\n");
    assert.notEqual(typo.code, 0);
  }

  async #succeeds(command: string, cwd = this.project): Promise<Finished> {
    const finished = await this.#run(command, "", cwd);
    assert.equal(finished.code, 0, `${command}\n${finished.stdout}\n${finished.stderr}`);
    return finished;
  }

  async #run(command: string, input = "", cwd = this.project): Promise<Finished> {
    const child = this.#start(command, cwd);
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
        text[name] += chunk;
      });
    }
    child.stdin?.end(input);
    return { code: await ended(child), ...text };
  }

  /** The built service, without npm and a shell around it. */
  #instance(): ChildProcess {
    return spawn(this.#node, ["--enable-source-maps", "dist/server.js"], {
      cwd: this.project,
      env: this.#env,
    });
  }

  /** In a process group of its own: a shell does not pass signals on. */
  #start(command: string, cwd = this.project): ChildProcess {
    const PATH = [join(this.project, "node_modules/.bin"), this.#env.PATH].join(delimiter);
    return spawn("sh", ["-c", command], {
      cwd,
      env: { ...this.#env, PATH },
      detached: true,
    });
  }
}

/** A handler that takes its time, and says in the end how often it ran. */
function countingCalls(source: string): string {
  const counted = source.replace(
    "  sayHello({ name }) {",
    `  async sayHello({ name }) {
    handled++;
    await new Promise((done) => setTimeout(done, 50));`,
  );
  assert.notEqual(counted, source);
  return `${counted}
let handled = 0;
process.on("exit", () => console.log("handled", handled));
`;
}

async function addressOf(server: ChildProcess): Promise<string> {
  const line = await lineOf(server, /call localhost:\d+/);
  return `127.0.0.1:${/localhost:(\d+)/.exec(line)?.[1]}`;
}

/** Tells a server to stop, which it must do by itself; how many calls it has handled. */
async function stopped(server: ChildProcess): Promise<number> {
  const line = lineOf(server, /^handled \d+/);
  server.kill("SIGTERM");
  assert.equal(await ended(server), 0, "exit code after SIGTERM");
  return Number((await line).split(" ")[1]);
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((done) => child.once("close", done));
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, name);
}

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

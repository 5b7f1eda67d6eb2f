import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { program } from "../../src/cli/program.ts";
import { bin, connectum } from "./connectum.ts";

interface Group {
  readonly commands: Readonly<Record<string, object>>;
}

/** The words of every command. */
function* commandLines(group: Group, words: string[] = []): Generator<string[]> {
  for (const [word, entry] of Object.entries(group.commands)) {
    if ("commands" in entry) yield* commandLines(entry as Group, [...words, word]);
    else yield [...words, word];
  }
}

describe("connectum", { concurrency: 2 }, () => {
  for (const words of commandLines(program)) {
    test(`${words.join(" ")} --help shows usage and an example within 80 columns`, async () => {
      const { code, stdout, stderr } = await connectum([...words, "--help"]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
      assert.match(stdout, new RegExp(`^Usage: connectum ${words.join(" ")} `, "m"));
      const [, examples = ""] = stdout.split(/^Examples?:\n/m);
      assert.match(examples, new RegExp(`npx connectum ${words.join(" ")}`));
      for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
      assert.ok(!stdout.includes("\u001b"), "colours without a terminal");
    });
  }

  test("--help lists every command within 80 columns", async () => {
    const { code, stdout } = await connectum(["--help"]);
    assert.equal(code, 0);
    for (const words of commandLines(program)) {
      assert.match(stdout, new RegExp(`^  ${words.join(" ")}  `, "m"));
    }
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  });

  test("connection options stand apart, and a wide one has a line of its own", async () => {
    const { stdout } = await connectum(["call", "--help"]);
    const [own = "", connection = ""] = stdout.split(/^Connection:$/m);
    assert.match(own, /^ {2}-d, --data <json\|@file\|-> {2}Request as JSON/m);
    assert.doesNotMatch(own, /--ca/);
    assert.match(
      connection,
      /^ {6}--protocol <grpc\|grpc-web\|connect>\n {30}Protocol to speak \(default: grpc\)\n/m,
    );
  });

  test("--version is that of the package", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    assert.deepEqual(await connectum(["--version"]), {
      code: 0,
      stdout: `${version}\n`,
      stderr: "",
    });
  });

  test("without a command it shows the commands on standard error and exits 2", async () => {
    const { code, stdout, stderr } = await connectum([]);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
    assert.match(stderr, /^Usage: connectum <command>/m);
  });

  const wrong: [args: string[], stderr: string][] = [
    [
      ["cal"],
      'error: unknown command "cal"\nhint: did you mean "connectum call"? All commands: connectum --help\n',
    ],
    [
      ["proto", "snyc"],
      'error: unknown command "snyc"\nhint: did you mean "connectum proto sync"? All commands: connectum --help\n',
    ],
    [
      ["list", "x", "--insecur"],
      "error: list has no option --insecur\nhint: did you mean --insecure? See: connectum list --help\n",
    ],
    [["list"], "error: list needs <url>\nhint: see: connectum list --help\n"],
    [
      ["list", "a", "b", "c"],
      'error: list takes 2 at most, got "c" besides\nhint: see: connectum list --help\n',
    ],
    [["call", "a", "b", "-d"], "error: -d needs a value: -d <json|@file|->\n"],
    [["list", "a", "--json=yes"], 'error: --json takes no value, got "yes"\n'],
    [["--bogus"], "error: unknown option --bogus\nhint: see: connectum --help\n"],
  ];
  for (const [args, stderr] of wrong) {
    test(`${args.join(" ")}: exit code 2, one line and a hint`, async () => {
      assert.deepEqual(await connectum(args), { code: 2, stdout: "", stderr });
    });
  }

  test("--verbose adds the stack", async () => {
    const { stderr } = await connectum(["list", "http://", "--verbose"]);
    assert.match(stderr, /^error: "http:\/\/" is no URL\nhint: .*\n.*CliError: [\s\S]*\n {4}at /);
  });

  test("what talks to servers is loaded by the commands that do", () => {
    const refuse = `export const resolve = (specifier, context, next) => {
      if (specifier.startsWith("@connectrpc/")) throw new Error(specifier);
      return next(specifier, context);
    };`;
    const url = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
    const hooks = url(
      `import { register } from "node:module"; register(${JSON.stringify(url(refuse))});`,
    );
    const statusOf = (...args: string[]) =>
      spawnSync(process.execPath, ["--import", hooks, bin, ...args]).status;
    assert.equal(statusOf("--help"), 0);
    assert.equal(statusOf("init", "--help"), 0);
    assert.notEqual(statusOf("list", "--help"), 0);
  });

  test("importing its modules runs nothing", async () => {
    const { main } = await import("../../src/cli/main.ts");
    assert.equal(typeof main, "function");
  });
});

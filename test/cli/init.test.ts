import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connectum } from "./connectum.ts";
import { inTerminal, plain } from "./terminal.ts";
import { temporaryFolder } from "./workspace.ts";

describe("connectum init", { concurrency: 2 }, () => {
  test("writes the whole project and prints the commands that come next", async (t) => {
    const cwd = temporaryFolder(t);
    const { code, stdout, stderr } = await connectum(["init", "shop", "--yes"], { cwd });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /^ {2}cd shop && npm install\n {2}npm start$/m);
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    const manifest = JSON.parse(readFileSync(join(cwd, "shop/package.json"), "utf8"));
    assert.equal(manifest.name, "shop");
    assert.equal(manifest.dependencies.connectum, `^${version}`);
  });

  test("names service, package and files after --name", async (t) => {
    const cwd = temporaryFolder(t);
    const args = ["init", ".", "--yes", "--name", "@acme/order-items-service"];
    assert.equal((await connectum(args, { cwd })).code, 0);
    assert.equal(
      JSON.parse(readFileSync(join(cwd, "package.json"), "utf8")).name,
      "@acme/order-items-service",
    );
    const proto = readFileSync(join(cwd, "proto/order_items/v1/order_items.proto"), "utf8");
    assert.match(proto, /^package order_items\.v1;$/m);
    assert.match(proto, /^service OrderItemsService \{$/m);
    assert.ok(existsSync(join(cwd, "src/services/order-items.ts")));
  });

  test("takes a tarball for the dependency", async (t) => {
    const cwd = temporaryFolder(t);
    writeFileSync(join(cwd, "connectum.tgz"), "");
    const args = ["init", "shop", "--yes", "--connectum", "./connectum.tgz"];
    assert.equal((await connectum(args, { cwd })).code, 0);
    const { dependencies } = JSON.parse(readFileSync(join(cwd, "shop/package.json"), "utf8"));
    assert.equal(dependencies.connectum, `file:${join(cwd, "connectum.tgz")}`);
    const missing = await connectum(["init", "other", "--yes", "--connectum", "./no.tgz"], { cwd });
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /there is no file .*no\.tgz/);
  });

  test("refuses a folder with files and writes nothing, unless forced", async (t) => {
    const cwd = temporaryFolder(t);
    mkdirSync(join(cwd, "shop"));
    writeFileSync(join(cwd, "shop/package.json"), "mine");
    const refused = await connectum(["init", "shop", "--yes"], { cwd });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^error: .*shop is not empty: package\.json\nhint: .*--force\n$/);
    assert.deepEqual(readdirSync(join(cwd, "shop")), ["package.json"]);
    assert.equal((await connectum(["init", "shop", "--yes", "--force"], { cwd })).code, 0);
    assert.notEqual(readFileSync(join(cwd, "shop/package.json"), "utf8"), "mine");
  });

  test("keeps the README of a fresh clone", async (t) => {
    const cwd = temporaryFolder(t);
    writeFileSync(join(cwd, "README.md"), "mine");
    mkdirSync(join(cwd, ".git"));
    assert.equal((await connectum(["init", ".", "--yes", "--name", "shop"], { cwd })).code, 0);
    assert.equal(readFileSync(join(cwd, "README.md"), "utf8"), "mine");
  });

  const wrong: [args: string[], message: RegExp][] = [
    [["init", "--yes"], /init needs a folder\nhint: name one: connectum init shop/],
    [["init", "shop"], /^$/],
    [["init", "42", "--yes"], /"42" cannot name a service/],
    [["init", "x", "--yes", "--name", "Has Space"], /is no name for a package/],
    [
      ["init", "x", "--yes", "--template", "huge"],
      /--template must be one of minimal, full, got "huge"/,
    ],
  ];
  for (const [args, message] of wrong) {
    const code = message.source === "^$" ? 0 : 2;
    test(`${args.join(" ")} without a terminal: exit code ${code}`, async (t) => {
      const result = await connectum(args, { cwd: temporaryFolder(t) });
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, message);
    });
  }
});

describe("connectum init in a terminal", { concurrency: 2 }, () => {
  test("asks for folder, name and template, and takes typed answers", async (t) => {
    const cwd = temporaryFolder(t);
    const { code, output } = await inTerminal(["init"], {
      cwd,
      steps: [
        { expect: "Which folder?", send: "my-shop\r" },
        { expect: "called?", send: "orders\r" },
        { expect: "How much", send: "\u001b[B\r" },
      ],
    });
    assert.equal(code, 0, output);
    assert.match(plain(output), /files written to my-shop/);
    assert.match(readFileSync(join(cwd, "my-shop/proto/orders/v1/orders.proto"), "utf8"), /stream/);
  });

  test("offers defaults, and says at once what is wrong with an answer", async (t) => {
    const cwd = temporaryFolder(t);
    const { code, output } = await inTerminal(["init", "shop"], {
      cwd,
      steps: [
        { expect: "called?", send: "No Good\r" },
        { expect: "is no name", send: "\u007f".repeat(7) },
        { expect: "called?", send: "\r" },
        { expect: "How much", send: "\r" },
      ],
    });
    assert.equal(code, 0, output);
    assert.ok(existsSync(join(cwd, "shop/proto/shop/v1/shop.proto")));
  });

  test("Ctrl-C at a question writes nothing and exits 130", async (t) => {
    const cwd = temporaryFolder(t);
    const { code } = await inTerminal(["init"], {
      cwd,
      steps: [{ expect: "Which folder?", send: "\u0003" }],
    });
    assert.equal(code, 130);
    assert.deepEqual(readdirSync(cwd), []);
  });

  test("no line is wider than 80 columns; colours go with NO_COLOR", async (t) => {
    const cwd = temporaryFolder(t);
    const colored = await inTerminal(["init", "a", "--yes"], { cwd });
    assert.ok(colored.output.includes("\u001b["), "a terminal gets colours");
    const colorless = await inTerminal(["init", "b", "--yes"], { cwd, env: { NO_COLOR: "1" } });
    assert.ok(!colorless.output.includes("\u001b["), colorless.output);
    for (const line of plain(colored.output).split("\n")) assert.ok(line.length <= 80, line);
  });
});

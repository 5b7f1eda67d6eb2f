import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { test } from "node:test";

/** A project of a user, as the README of `src/auth` describes it. */
const files: Record<string, string> = {
  "package.json": '{ "name": "shop", "type": "module" }',
  "buf.yaml": `version: v2
modules:
  - path: proto
  - path: node_modules/connectum/proto
`,
  "buf.gen.yaml": `version: v2
inputs:
  - directory: proto
plugins:
  - local: protoc-gen-es
    out: gen
    opt: [target=js, import_extension=js]
    include_imports: true
`,
  "proto/shop/v1/shop.proto": `syntax = "proto3";
package shop.v1;
import "connectum/auth/v1/options.proto";

service ShopService {
  option (connectum.auth.v1.service_auth).default_requires = { roles: ["customer"] };
  rpc Browse(Nothing) returns (Nothing) {
    option (connectum.auth.v1.method_auth).public = true;
  }
  rpc Buy(Nothing) returns (Nothing);
  rpc Restock(Nothing) returns (Nothing) {
    option (connectum.auth.v1.method_auth) = { requires: { roles: ["staff"], scopes: ["stock"] } };
  }
}
message Nothing {}
`,
  "main.js": `import { createAuthInterceptor, createProtoAuthzInterceptor, explainAuthz, getPublicMethods } from "connectum/auth";
import { method_auth } from "connectum/auth/proto";
import { createServer, defineService } from "connectum/core";
import { ShopService } from "./gen/shop/v1/shop_pb.js";

const server = createServer({
  services: [defineService(ShopService, { browse: () => ({}), buy: () => ({}), restock: () => ({}) })],
  interceptors: [
    createAuthInterceptor({
      skipMethods: getPublicMethods([ShopService]),
      verifyCredentials: (role) => ({ subject: "ada", roles: [role], scopes: ["stock"] }),
    }),
    createProtoAuthzInterceptor(),
  ],
});
const client = server.localClient(ShopService);
const outcome = async (method, role) => {
  const headers = role ? { authorization: "Bearer " + role } : {};
  return client[method]({}, { headers }).then(() => "ok", (error) => error.rawMessage);
};
const outcomes = {};
for (const method of ["browse", "buy", "restock"]) {
  outcomes[method] = [await outcome(method), await outcome(method, "customer"), await outcome(method, "staff")];
}
const who = explainAuthz(server).map((row) => row.method + ": " + row.who);
console.log(JSON.stringify({ outcomes, who, extension: method_auth.typeName }));
`,
};

test("a project outside of this repository generates and runs with the shipped options.proto", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "connectum-user-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  install(directory);
  const path = [resolve("node_modules/.bin"), process.env.PATH].join(delimiter);
  const options = {
    cwd: directory,
    env: { ...process.env, PATH: path },
    encoding: "utf8",
  } as const;
  execFileSync("buf", ["generate"], options);
  const result = JSON.parse(execFileSync(process.execPath, ["main.js"], options));
  assert.deepEqual(result.outcomes, {
    browse: ["ok", "ok", "ok"],
    buy: ["Missing credentials", "ok", "Access denied"],
    restock: ["Missing credentials", "Access denied", "ok"],
  });
  assert.deepEqual(result.who, [
    "shop.v1.ShopService/Browse: anybody",
    "shop.v1.ShopService/Buy: role customer",
    "shop.v1.ShopService/Restock: role staff and scope stock",
  ]);
  assert.equal(result.extension, "connectum.auth.v1.method_auth");
});

/** What `npm install` would put there: the files npm would pack, and the dependencies. */
function install(directory: string): void {
  const target = join(directory, "node_modules/connectum");
  const listed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    encoding: "utf8",
  });
  const [{ files: packed }] = JSON.parse(listed) as [{ files: Array<{ path: string }> }];
  for (const { path } of packed) cpSync(path, join(target, path));
  for (const name of ["@bufbuild", "@connectrpc", "jsonwebtoken", "jwks-rsa"]) {
    symlinkSync(resolve("node_modules", name), join(directory, "node_modules", name));
  }
}

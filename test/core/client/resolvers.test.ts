import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRouterTransport, type Transport } from "@connectrpc/connect";
import {
  dnsResolver,
  mapResolver,
  perServiceEnvResolver,
  singleTransportResolver,
} from "connectum/core";

const transport = createRouterTransport(() => {});

/** Notes what it is asked for instead of connecting. */
function recorder() {
  const made: string[] = [];
  const createTransport = (baseUrl: string): Transport => {
    made.push(baseUrl);
    return transport;
  };
  return { made, createTransport };
}

describe("singleTransportResolver", () => {
  test("gives the one transport to every service", () => {
    const resolve = singleTransportResolver(transport);
    assert.equal(resolve({ typeName: "a.A" }), transport);
    assert.equal(resolve({ typeName: "b.B" }), transport);
  });

  for (const value of [undefined, null, {}, "http://localhost:5000"]) {
    test(`refuses ${JSON.stringify(value)}`, () => {
      assert.throws(() => singleTransportResolver(value as never), {
        code: "INVALID_OPTION",
        message: /^singleTransportResolver\(\) needs a transport/,
      });
    });
  }
});

describe("mapResolver", () => {
  test("goes by type name and has nothing for the rest", () => {
    const resolve = mapResolver({ "a.A": transport });
    assert.equal(resolve({ typeName: "a.A" }), transport);
    assert.equal(resolve({ typeName: "toString" }), null);
  });

  test("does not see later changes of the record", () => {
    const record: Record<string, Transport> = {};
    const resolve = mapResolver(record);
    record["a.A"] = transport;
    assert.equal(resolve({ typeName: "a.A" }), null);
  });

  test("names the entry that is no transport", () => {
    assert.throws(() => mapResolver({ "a.A": undefined as never }), {
      code: "INVALID_OPTION",
      message: /^mapResolver\(\) "a\.A" needs a transport/,
    });
  });
});

describe("dnsResolver", () => {
  const names: Array<[template: string, typeName: string, url: string]> = [
    ["http://{name}:5000", "inventory.v1.StockService", "http://stock:5000"],
    ["http://{shortName}:5000", "inventory.v1.StockService", "http://stock:5000"],
    ["https://{name}.svc:443/rpc", "StockKeeper", "https://stockkeeper.svc:443/rpc"],
    ["http://{name}", "odd.Service", "http://service"],
    ["http://{package}.local", "inventory.v1.StockService", "http://inventory.v1.local"],
    ["http://gate:80/{typeName}", "inventory.v1.Stock", "http://gate:80/inventory.v1.Stock"],
  ];
  for (const [template, typeName, url] of names) {
    test(`${template} of ${typeName} is ${url}`, () => {
      const { made, createTransport } = recorder();
      assert.equal(dnsResolver({ template, createTransport })({ typeName }), transport);
      assert.deepEqual(made, [url]);
    });
  }

  const bad: Array<[template: unknown, message: RegExp]> = [
    ["{name}:5000", /template must be a URL like/],
    ["ftp://{name}", /template must be a URL like .*got "ftp:\/\/sample"/],
    ["http://{host}", /template knows .*got \{host\}/],
    ["http://{toString}", /template knows .*got \{toString\}/],
    [undefined, /template must be a string, got undefined/],
  ];
  for (const [template, message] of bad) {
    test(`refuses the template ${template} when it is made`, () => {
      const options = { template: template as string };
      assert.throws(() => dnsResolver(options), { code: "INVALID_OPTION", message });
    });
  }
});

describe("perServiceEnvResolver", () => {
  const variables = { "a.A": "A_URL", "b.B": "B_URL", "c.C": "C_URL" };

  test("has a transport where the variable is set and not empty", () => {
    const { made, createTransport } = recorder();
    const env = { A_URL: "http://a:5000", B_URL: "" };
    const resolve = perServiceEnvResolver(variables, { env, createTransport });
    assert.equal(resolve({ typeName: "a.A" }), transport);
    assert.equal(resolve({ typeName: "b.B" }), null);
    assert.equal(resolve({ typeName: "c.C" }), null);
    assert.equal(resolve({ typeName: "unknown.Service" }), null);
    assert.deepEqual(made, ["http://a:5000"]);
  });

  test("reads process.env when it is made", (t) => {
    process.env.TEST_RESOLVER_URL = "http://from-env:5000";
    t.after(() => delete process.env.TEST_RESOLVER_URL);
    const { made, createTransport } = recorder();
    const resolve = perServiceEnvResolver({ "a.A": "TEST_RESOLVER_URL" }, { createTransport });
    delete process.env.TEST_RESOLVER_URL;
    resolve({ typeName: "a.A" });
    assert.deepEqual(made, ["http://from-env:5000"]);
  });

  test("names the variable with a malformed URL when it is made", () => {
    assert.throws(() => perServiceEnvResolver(variables, { env: { B_URL: "b:5000" } }), {
      code: "INVALID_OPTION",
      message: 'B_URL must be a URL like http://host:5000, got "b:5000"',
    });
  });

  test("needs the name of a variable", () => {
    assert.throws(() => perServiceEnvResolver({ "a.A": "" }), {
      code: "INVALID_OPTION",
      message: /needs the name of a variable for a\.A/,
    });
  });
});

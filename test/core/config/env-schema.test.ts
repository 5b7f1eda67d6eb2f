import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type ConnectumEnv,
  ConnectumEnvSchema,
  parseEnvConfig,
  safeParseEnvConfig,
} from "connectum/core/config";
import { z } from "zod";

const defaults: ConnectumEnv = {
  PORT: 5000,
  LISTEN: "0.0.0.0",
  NODE_ENV: "development",
  LOG_LEVEL: "info",
  LOG_FORMAT: "json",
  LOG_BACKEND: "otel",
  HTTP_HEALTH_ENABLED: false,
  HTTP_HEALTH_PATH: "/healthz",
  OTEL_SERVICE_NAME: undefined,
  OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
  GRACEFUL_SHUTDOWN_ENABLED: true,
  GRACEFUL_SHUTDOWN_TIMEOUT_MS: 30_000,
  TLS_DIR_PATH: undefined,
};

/** The configuration with the keys of unset variables, which zod leaves out. */
function read(env: Record<string, string>): ConnectumEnv {
  const { OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_ENDPOINT, TLS_DIR_PATH, ...rest } =
    parseEnvConfig(env);
  return { ...rest, OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_ENDPOINT, TLS_DIR_PATH };
}

const booleans: Array<[text: string, value: boolean]> = [
  ["true", true],
  ["TRUE", true],
  ["1", true],
  ["yes", true],
  ["false", false],
  ["0", false],
  ["No", false],
];

/** Texts a variable takes, and what they mean. */
const good: Record<keyof ConnectumEnv, Array<[text: string, value: unknown]>> = {
  PORT: [
    ["0", 0],
    ["8080", 8080],
    ["65535", 65_535],
  ],
  LISTEN: [
    ["127.0.0.1", "127.0.0.1"],
    ["::", "::"],
    ["localhost", "localhost"],
    ["host-1.example.com", "host-1.example.com"],
  ],
  NODE_ENV: [
    ["production", "production"],
    ["test", "test"],
  ],
  LOG_LEVEL: [
    ["debug", "debug"],
    ["warn", "warn"],
    ["error", "error"],
  ],
  LOG_FORMAT: [["pretty", "pretty"]],
  LOG_BACKEND: [
    ["pino", "pino"],
    ["console", "console"],
  ],
  HTTP_HEALTH_ENABLED: booleans,
  HTTP_HEALTH_PATH: [
    ["/", "/"],
    ["/health/live", "/health/live"],
  ],
  OTEL_SERVICE_NAME: [["shop: orders", "shop: orders"]],
  OTEL_EXPORTER_OTLP_ENDPOINT: [
    ["http://collector:4317", "http://collector:4317"],
    ["https://collector/v1", "https://collector/v1"],
  ],
  GRACEFUL_SHUTDOWN_ENABLED: booleans,
  GRACEFUL_SHUTDOWN_TIMEOUT_MS: [
    ["0", 0],
    ["300000", 300_000],
  ],
  TLS_DIR_PATH: [["/etc/tls", "/etc/tls"]],
};

const noBoolean = ["on", "2", "tru"];
const booleanRule = "one of true, 1, yes, false, 0, no";

/** The rule a variable's message names, and texts that break it. */
const bad: Partial<Record<keyof ConnectumEnv, [rule: string, texts: string[]]>> = {
  PORT: ["an integer from 0 to 65535", ["65536", "-1", "80.5", "0x50", "1e3", "http", " 80"]],
  LISTEN: ["an IP address or a host name", ["http://host", "a b", "-host", "host_1", "1.2.3.4:80"]],
  NODE_ENV: ["one of development, production, test", ["staging", "Production"]],
  LOG_LEVEL: ["one of debug, info, warn, error", ["trace", "INFO"]],
  LOG_FORMAT: ["one of json, pretty", ["text"]],
  LOG_BACKEND: ["one of otel, pino, console", ["winston"]],
  HTTP_HEALTH_ENABLED: [booleanRule, noBoolean],
  HTTP_HEALTH_PATH: [
    'a path that begins with "/", without query',
    ["healthz", "/a?b", "/a b", "/#"],
  ],
  OTEL_EXPORTER_OTLP_ENDPOINT: ["an http or https URL", ["collector:4317", "grpc://a", "http://"]],
  GRACEFUL_SHUTDOWN_ENABLED: [booleanRule, noBoolean],
  GRACEFUL_SHUTDOWN_TIMEOUT_MS: ["an integer from 0 to 300000", ["300001", "-5", "10s"]],
};

describe("parseEnvConfig", () => {
  test("an empty environment gives every default", () => {
    assert.deepEqual(read({}), defaults);
  });

  for (const name of Object.keys(defaults) as Array<keyof ConnectumEnv>) {
    test(`${name}: empty is unset`, () => {
      assert.deepEqual(read({ [name]: "" }), defaults);
    });

    for (const [text, value] of good[name]) {
      test(`${name}=${text}`, () => {
        assert.deepEqual(read({ [name]: text }), { ...defaults, [name]: value });
      });
    }
  }

  for (const [name, [rule, texts]] of Object.entries(bad)) {
    for (const text of texts) {
      test(`refuses ${name}=${text}, naming variable, rule and value`, () => {
        assert.throws(() => parseEnvConfig({ [name]: text }), {
          code: "INVALID_OPTION",
          message: `${name} must be ${rule}, got ${JSON.stringify(text)}`,
        });
      });
    }
  }

  test("names all bad variables at once", () => {
    assert.throws(() => parseEnvConfig({ PORT: "http", LOG_LEVEL: "loud" }), {
      message: /^PORT must be .*\nLOG_LEVEL must be .*"loud"$/,
    });
  });

  test("shows a long value short", () => {
    assert.throws(
      () => parseEnvConfig({ LOG_LEVEL: "x".repeat(10_000) }),
      (error: Error) => {
        assert.ok(error.message.length < 200, error.message);
        return true;
      },
    );
  });

  test("reads process.env by default", (t) => {
    const before = process.env.PORT;
    t.after(() => {
      if (before === undefined) delete process.env.PORT;
      else process.env.PORT = before;
    });
    process.env.PORT = "7001";
    assert.equal(parseEnvConfig().PORT, 7001);
    assert.equal(safeParseEnvConfig().data?.PORT, 7001);
  });
});

describe("safeParseEnvConfig", () => {
  test("returns the configuration", () => {
    const result = safeParseEnvConfig({ PORT: "1" });
    assert.equal(result.data?.PORT, 1);
  });

  test("returns the issues, with their paths, instead of throwing", () => {
    const { success, error } = safeParseEnvConfig({ PORT: "http" });
    assert.equal(success, false);
    assert.deepEqual(error?.issues[0]?.path, ["PORT"]);
  });
});

describe("ConnectumEnvSchema", () => {
  const Schema = ConnectumEnvSchema.extend({ DATABASE_URL: z.url(), PORT: z.coerce.number() });

  test("extends with variables of one's own, and replaces its own", () => {
    const config = Schema.parse({ DATABASE_URL: "postgres://db", PORT: "70000", LISTEN: "::" });
    const own: { DATABASE_URL: string; LISTEN: string } = config;
    assert.equal(own.DATABASE_URL, "postgres://db");
    assert.equal(own.LISTEN, "::");
    assert.equal(config.PORT, 70_000);
  });

  test("an extended schema refuses what its own rules refuse", () => {
    const { error } = Schema.safeParse({ DATABASE_URL: "nowhere", PORT: "1", LOG_LEVEL: "loud" });
    assert.deepEqual(
      error?.issues.map(({ path }) => path[0]),
      ["LOG_LEVEL", "DATABASE_URL"],
    );
  });
});

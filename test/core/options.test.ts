import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CreateServerOptions, createServer } from "connectum/core";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";

function refusal(options: object): { code: string; message: string } {
  try {
    createServer({ services: [], ...options } as CreateServerOptions);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new assert.AssertionError({ message: "createServer() took it" });
}

describe("createServer options", () => {
  test("an unknown option is named together with the nearest known one", () => {
    const { code, message } = refusal({ interceptor: [] });
    assert.equal(code, "INVALID_OPTION");
    assert.match(message, /"interceptor".*did you mean "interceptors"/);
    assert.match(refusal({ shutdown: { timeOut: 1 } }).message, /shutdown.*"timeout"/);
  });

  for (const [name, replacement] of [
    ["health", /Healthcheck\(\).*connectum\/healthcheck/],
    ["reflection", /Reflection\(\).*connectum\/reflection/],
    ["builtinInterceptors", /createDefaultInterceptors\(\).*connectum\/interceptors/],
  ] as const) {
    test(`the retired option ${name} is refused with what replaced it`, () => {
      const { code, message } = refusal({ [name]: true });
      assert.equal(code, "INVALID_OPTION");
      assert.match(message, replacement);
    });
  }

  const wrong: Array<[string, object, RegExp]> = [
    ["services that are no array", { services: "x" }, /services must be an array.*"x"/],
    ["a port out of range", { port: 70_000 }, /port must be .* 0 to 65535, got 70000/],
    ["a port that is a string", { port: "5000" }, /port .* got "5000"/],
    ["path together with port", { path: "/x.sock", port: 1 }, /path .* excludes host and port/],
    ["no HTTP version", { allowHTTP1: false, allowHTTP2: false }, /leave one on/],
    ["no protocol", { connect: false, grpc: false, grpcWeb: false }, /leave one on/],
    ["readMaxBytes 0", { readMaxBytes: 0 }, /readMaxBytes .* got 0/],
    ["writeMaxBytes above 4 GiB", { writeMaxBytes: 2 ** 32 }, /writeMaxBytes/],
    ["a handshakeTimeout no timer can wait", { handshakeTimeout: 2 ** 31 }, /handshakeTimeout/],
    ["a negative minBytes", { compression: { minBytes: -1 } }, /compression\.minBytes/],
    ["an unknown transportValidation", { transportValidation: "no" }, /"error", "warn" or "off"/],
    [
      "a drain delay as long as the timeout",
      { shutdown: { drainDelayMs: 5, timeout: 5 } },
      /drainDelayMs must be less than shutdown\.timeout \(5\), got 5/,
    ],
    [
      "an abort grace longer than the timeout",
      { shutdown: { abortGraceMs: 6, timeout: 5 } },
      /abortGraceMs/,
    ],
    [
      "a boolean that is text",
      { allowHTTP2: "false" },
      /allowHTTP2 must be true or false, got "false"/,
    ],
    ["a protocol switched off by text", { grpc: "false" }, /grpc must be true or false/],
    [
      "autoShutdown that is text",
      { shutdown: { autoShutdown: "no" } },
      /shutdown\.autoShutdown must be true or false, got "no"/,
    ],
    [
      "forceCloseOnTimeout that is a number",
      { shutdown: { forceCloseOnTimeout: 0 } },
      /shutdown\.forceCloseOnTimeout must be true or false, got 0/,
    ],
    [
      "one signal instead of a list",
      { shutdown: { signals: "SIGTERM" } },
      /shutdown\.signals must be an array, got "SIGTERM"/,
    ],
    ["an empty host", { host: "" }, /host must be a string that is not empty, got ""/],
    ["a path that is no string", { path: 5 }, /path must be a string .* got 5/],
    [
      "a descriptor instead of a service",
      { services: [GreeterService] },
      /services\[0\] must be .* defineService\(\), got an object; bind a descriptor/,
    ],
    [
      "a chain that was not spread",
      { interceptors: [[]] },
      /interceptors\[0\] must be an interceptor, got an array; spread it/,
    ],
    [
      "interceptors that are a function",
      { outgoingInterceptors: () => [] },
      /outgoingInterceptors must be an array, got a function/,
    ],
    [
      "a protocol's factory that was not called",
      { protocols: [() => {}] },
      /protocols\[0\] must be .* got a function; call it/,
    ],
    [
      "a protocol without a name",
      { protocols: [{ register() {} }] },
      /protocols\[0\] must be an object with name and register\(\)/,
    ],
    [
      "enabledServices that are text",
      { enabledServices: "shop.*" },
      /enabledServices must be an array, got "shop\.\*"/,
    ],
    [
      "an event bus that cannot stop",
      { eventBus: { start() {} } },
      /eventBus must be an object with start\(\) and stop\(\)/,
    ],
    [
      "a logger without methods",
      { logger: {} },
      /logger must be a Logger with debug\(\), info\(\), warn\(\) and error\(\), got an object/,
    ],
    [
      "jsonOptions that are a list",
      { jsonOptions: [] },
      /jsonOptions must be an object, got an array/,
    ],
    ["a null for http2Options", { http2Options: null }, /http2Options must be an object, got null/],
    [
      "compressions by name",
      { compression: { accept: ["gzip"] } },
      /compression\.accept\[0\] must be an object, got "gzip"/,
    ],
    ["tls without any file", { tls: {} }, /exactly one of/],
    ["tls with half a pair", { tls: { key: "x" } }, /key and tls\.cert belong together/],
    [
      "clientAuth without a CA",
      { tls: { key: "x", cert: "x", clientAuth: "require" } },
      /needs the CA/,
    ],
  ];
  for (const [name, options, message] of wrong) {
    test(`${name} is refused`, () => {
      const error = refusal(options);
      assert.equal(error.code, "INVALID_OPTION");
      assert.match(error.message, message);
    });
  }

  test("what is added later is held to the same rules", () => {
    const server = createServer({ services: [] });
    for (const [add, message] of [
      [() => server.addService(GreeterService as never), /addService\(\) must be a route function/],
      [() => server.addInterceptor([] as never), /addInterceptor\(\) must be an interceptor/],
      [() => server.addProtocol((() => {}) as never), /addProtocol\(\) must be .*; call it/],
    ] as const) {
      assert.throws(add, { code: "INVALID_OPTION", message });
    }
  });

  test("undefined equals omitted for every option", () => {
    createServer({
      services: [],
      port: undefined,
      path: undefined,
      interceptors: undefined,
      shutdown: { timeout: undefined, signals: undefined },
      compression: { accept: undefined },
      logger: undefined,
    });
  });

  test("arrays given as options are copied", () => {
    const services: CreateServerOptions["services"][number][] = [];
    const server = createServer({ services });
    services.push(() => {});
    assert.equal(server.routes.length, 0);
  });
});

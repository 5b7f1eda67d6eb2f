import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createServer } from "connectum/core";
import { createFakeClock } from "connectum/testing";

function createRecorder() {
  const steps: string[] = [];
  const server = createServer({ services: [], port: 0, host: "127.0.0.1" });
  const hook = (name: string) => async () => {
    steps.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    steps.push(`${name} ends`);
  };
  return { server, steps, hook };
}

describe("server.onShutdown", () => {
  test("runs dependencies first and independent hooks side by side", async () => {
    const { server, steps, hook } = createRecorder();
    server.onShutdown("queue", ["database"], hook("queue"));
    server.onShutdown("cache", ["database"], hook("cache"));
    server.onShutdown("database", hook("database"));
    await server.start();
    await server.stop();
    assert.deepEqual(steps, [
      "database begins",
      "database ends",
      "queue begins",
      "cache begins",
      "queue ends",
      "cache ends",
    ]);
  });

  test("runs a hook shared by two others once", async () => {
    const { server, steps, hook } = createRecorder();
    server.onShutdown("top", ["left", "right"], hook("top"));
    server.onShutdown("left", ["bottom"], hook("left"));
    server.onShutdown("right", ["bottom"], hook("right"));
    server.onShutdown("bottom", hook("bottom"));
    await server[Symbol.asyncDispose]();
    assert.equal(steps.filter((step) => step === "bottom begins").length, 1);
    assert.equal(steps.at(-1), "top ends");
  });

  test("may be registered after what they depend on", async () => {
    const { server, steps, hook } = createRecorder();
    server.onShutdown("database", hook("database"));
    server.onShutdown("other", hook("other"));
    server.onShutdown("cache", ["other", "database"], hook("cache"));
    server.onShutdown("queue", ["cache"], hook("queue"));
    await server[Symbol.asyncDispose]();
    assert.deepEqual(
      steps.filter((step) => step.endsWith("ends")),
      ["database ends", "other ends", "cache ends", "queue ends"],
    );
  });

  test("runs several hooks of one name side by side", async () => {
    const { server, steps, hook } = createRecorder();
    server.onShutdown("pool", hook("first"));
    server.onShutdown("pool", hook("second"));
    await server[Symbol.asyncDispose]();
    assert.deepEqual(steps, ["first begins", "second begins", "first ends", "second ends"]);
  });

  test("refuses the registration that closes a cycle, naming the cycle", () => {
    const { server, hook } = createRecorder();
    server.onShutdown("a", ["b"], hook("a"));
    server.onShutdown("b", ["c"], hook("b"));
    assert.throws(() => server.onShutdown("c", ["a"], hook("c")), {
      code: "HOOK_CYCLE",
      message: /c -> a -> b -> c/,
    });
    assert.throws(() => server.onShutdown("self", ["self"], hook("self")), { code: "HOOK_CYCLE" });
  });

  test("start() rejects when a dependency was never registered, naming it", async () => {
    const { server, hook } = createRecorder();
    server.onShutdown("queue", ["databse"], hook("queue"));
    await assert.rejects(server.start(), { code: "UNKNOWN_HOOK", message: /"databse".*"queue"/s });
  });

  test("a hook added after start must name known ones", async (t) => {
    const { server, hook } = createRecorder();
    server.onShutdown("database", hook("database"));
    await server.start();
    t.after(() => server.stop());
    server.onShutdown("queue", ["database"], hook("queue"));
    assert.throws(() => server.onShutdown("x", ["nobody"], hook("x")), { code: "UNKNOWN_HOOK" });
  });

  test("a failing hook is reported and the others still run", async () => {
    const { server, steps, hook } = createRecorder();
    const failure = new Error("disk full");
    server.onShutdown("bad", () => {
      throw failure;
    });
    server.onShutdown("after", ["bad"], hook("after"));
    const reported: unknown[] = [];
    server.on("error", (error) => reported.push(error));
    await server.start();
    await assert.rejects(server.stop(), (error: AggregateError) => {
      assert.deepEqual(error.errors, [failure]);
      return true;
    });
    assert.equal(server.state, "stopped");
    assert.deepEqual(steps, ["after begins", "after ends"]);
    assert.deepEqual(reported, [failure]);
  });

  test("a hook that hangs is named once hookTimeoutMs is over, and what waits for it still runs", async (t) => {
    const steps: string[] = [];
    const server = createServer({ services: [], shutdown: { hookTimeoutMs: 1_000 } });
    server.onShutdown("stuck", () => new Promise(() => {}));
    server.onShutdown("after", ["stuck"], () => void steps.push("after"));
    const clock = createFakeClock({ t });
    const disposed = server[Symbol.asyncDispose]();
    const rejected = assert.rejects(disposed, (error: AggregateError) => {
      assert.equal(error.errors.length, 1);
      assert.match(error.errors[0].message, /hookTimeoutMs: "stuck"$/);
      return true;
    });
    await clock.advance(1_000);
    await rejected;
    assert.deepEqual(steps, ["after"]);
    assert.equal(server.state, "stopped");
  });

  test("names what is wrong with a registration, and forgets it", async () => {
    const { server, steps, hook } = createRecorder();
    server.onShutdown("a", ["b"], hook("a"));
    server.onShutdown("b", [], hook("b"));
    const cycle = (name: string, dependencies: string[], path: string) =>
      assert.throws(() => server.onShutdown(name, dependencies, hook("wrong")), {
        code: "HOOK_CYCLE",
        message: `shutdown hook "${name}" would wait for itself: ${path}; remove one of these dependencies`,
      });
    cycle("b", ["a"], "b -> a -> b");
    cycle("c", ["c"], "c -> c");
    cycle("b", ["unknown", "a"], "b -> a -> b");
    server.onShutdown("late", ["missing"], hook("late"));
    await assert.rejects(server.start(), {
      code: "UNKNOWN_HOOK",
      message:
        'shutdown hook "late" depends on "missing", which is not registered; known hooks: "a", "b", "late"',
    });
    const ended = steps.filter((step) => step.endsWith("ends"));
    assert.deepEqual(ended.sort(), ["a ends", "b ends", "late ends"]);
  });

  test("a registration after start that names an unknown hook is forgotten, too", async () => {
    const { server, steps, hook } = createRecorder();
    server.onShutdown("database", hook("database"));
    await server.start();
    assert.throws(() => server.onShutdown("x", ["database", "nobody"], hook("x")), {
      code: "UNKNOWN_HOOK",
      message:
        'shutdown hook "x" depends on "nobody", which is not registered; known hooks: "database"',
    });
    assert.throws(() => server.onShutdown("x", ["database", "database", "x"], hook("x")), {
      code: "HOOK_CYCLE",
    });
    await server.stop();
    assert.deepEqual(steps, ["database begins", "database ends"]);
  });

  test("several registrations of one name wait for the dependencies of all", async () => {
    const { server, steps, hook } = createRecorder();
    server.onShutdown("pool", ["queue"], hook("first"));
    server.onShutdown("pool", ["cache"], hook("second"));
    server.onShutdown("queue", hook("queue"));
    server.onShutdown("cache", hook("cache"));
    await server[Symbol.asyncDispose]();
    assert.deepEqual(steps.slice(0, 4), [
      "queue begins",
      "cache begins",
      "queue ends",
      "cache ends",
    ]);
    assert.deepEqual(steps.slice(4), [
      "first begins",
      "second begins",
      "first ends",
      "second ends",
    ]);
  });

  test("hooks without a name are counted, and each that hangs is named", async (t) => {
    const server = createServer({ services: [], shutdown: { hookTimeoutMs: 1_000 } });
    const ended: string[] = [];
    server.onShutdown(() => new Promise(() => {}));
    server.onShutdown(() => {});
    server.onShutdown("stuck", () => new Promise(() => {}));
    server.onShutdown("waiting", ["stuck"], async () => void ended.push("waiting"));
    server.onShutdown("failing", ["stuck"], () => Promise.reject(new Error("broke")));
    const clock = createFakeClock({ t });
    const disposed = server[Symbol.asyncDispose]();
    await clock.advance(999);
    assert.deepEqual(ended, []);
    const rejected = assert.rejects(disposed, (error: AggregateError) => {
      assert.deepEqual(
        error.errors.map(({ code, message }) => [code, message]),
        [
          [undefined, "broke"],
          [
            "HOOK_TIMEOUT",
            'shutdown hooks did not end within hookTimeoutMs: "anonymous hook 1", "stuck"',
          ],
        ],
      );
      return true;
    });
    await clock.advance(1);
    await rejected;
    assert.deepEqual(ended, ["waiting"]);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { createServer } from "connectum/core";
import { createOtelInterceptor, traceAll, traced } from "connectum/otel";
import { EchoService } from "../gen/connectum/bench/v1/echo_pb.js";
import { Collected } from "./collected.ts";

// Registers what carries the active span through asynchronous code.
new NodeTracerProvider().register();

describe("traced", () => {
  test("keeps results, arguments, this, name and length of any function", async () => {
    const { tracerProvider, spans } = new Collected();
    const add = traced(
      function add(this: { base: number }, a: number, b: number) {
        return this.base + a + b;
      },
      { tracerProvider },
    );
    assert.equal(add.call({ base: 10 }, 1, 2), 13);
    assert.equal(add.name, "add");
    assert.equal(add.length, 2);
    const later = traced(async (value: string) => value.toUpperCase(), {
      tracerProvider,
      name: "later",
      kind: SpanKind.CLIENT,
      attributes: { queue: "q" },
    });
    assert.equal(await later("x"), "X");
    assert.deepEqual(
      spans.map(({ name, kind, attributes, status }) => ({ name, kind, attributes, status })),
      [
        { name: "add", kind: SpanKind.INTERNAL, attributes: {}, status: { code: 0 } },
        { name: "later", kind: SpanKind.CLIENT, attributes: { queue: "q" }, status: { code: 0 } },
      ],
    );
  });

  test("records what is thrown, now or later, once, and throws it on", async () => {
    const { tracerProvider, spans } = new Collected();
    const error = new TypeError("broken");
    const now = traced(
      () => {
        throw error;
      },
      { tracerProvider, name: "now" },
    );
    const later = traced(
      async () => {
        throw error;
      },
      { tracerProvider, name: "later" },
    );
    assert.throws(now, error);
    await assert.rejects(later(), error);
    for (const { status, events } of spans) {
      assert.deepEqual(status, { code: SpanStatusCode.ERROR, message: "broken" });
      assert.equal(events.length, 1);
      assert.equal(events[0]?.attributes?.["exception.type"], "TypeError");
    }
    assert.equal(spans.length, 2);
  });

  test("an async generator's span lasts to its end, its return or its throw, and is active within", async () => {
    const { tracerProvider, spans } = new Collected();
    const seen = new Set<string | undefined>();
    const count = traced(
      async function* count(end: number) {
        for (let i = 0; i < end; i++) {
          seen.add(trace.getActiveSpan()?.spanContext().spanId);
          if (i === 5) throw new Error("five");
          yield i;
        }
      },
      { tracerProvider },
    );
    const numbers: number[] = [];
    for await (const number of count(3)) {
      assert.equal(spans.length, 0);
      numbers.push(number);
    }
    assert.deepEqual(numbers, [0, 1, 2]);
    assert.deepEqual([...seen], [spans[0]?.spanContext().spanId]);
    for await (const _ of count(3)) break;
    await assert.rejects(async () => {
      for await (const _ of count(9));
    }, /five/);
    assert.deepEqual(
      spans.map(({ status }) => status.code),
      [0, 0, SpanStatusCode.ERROR],
    );
  });

  test("arguments are recorded only when asked, through the filter", () => {
    const { tracerProvider, spans } = new Collected();
    const login = (user: string, _password: string) => user;
    traced(login, { tracerProvider })("ada", "secret");
    traced(login, { tracerProvider, recordArgs: true, argsFilter: ([user]) => [user] })(
      "ada",
      "secret",
    );
    traced((value: unknown) => value, { tracerProvider, recordArgs: true })({ id: 1n });
    assert.deepEqual(
      spans.map(({ attributes }) => attributes["function.args"]),
      [undefined, ['"ada"'], ['{"id":"1"}']],
    );
  });

  test("name, kind and attributes are those of its spans", () => {
    const { tracerProvider, spans } = new Collected();
    const attributes = { team: "payments" };
    const named = { name: "charge", kind: SpanKind.PRODUCER, attributes };
    traced(() => {}, { tracerProvider, ...named })();
    assert.deepEqual(
      spans.map(({ name, kind, attributes }) => ({ name, kind, attributes })),
      [named],
    );
  });

  test("refuses what is no function", () => {
    assert.throws(() => traced(5 as never), /traced\(\) takes a function, got 5/);
    for (const [options, message] of [
      [{ name: "" }, /traced\(\) name must be a string that is not empty/],
      [{ attributes: ["a"] }, /traced\(\) attributes must be an object/],
      [{ recordArgs: "yes" }, /traced\(\) recordArgs must be true or false/],
      [{ argsFilter: 1 }, /traced\(\) argsFilter must be a function/],
      [{ kind: 7 }, /traced\(\) kind must be a value of SpanKind, got 7/],
      [{ tracerProvider: {} }, /traced\(\) tracerProvider must be a TracerProvider with getTracer/],
      [{ recordArgs: true, filter: 1 }, /traced\(\) has no option "filter"/],
    ] as const) {
      assert.throws(() => traced(() => {}, options as never), { code: "INVALID_OPTION", message });
    }
    assert.throws(() => traceAll("x" as never), /traceAll\(\) takes an object/);
    for (const [options, message] of [
      [{ name: "n" }, /traceAll\(\) has no option "name"/],
      [{ prefix: 1 }, /traceAll\(\) prefix must be a string that is not empty/],
      [{ include: "find" }, /traceAll\(\) include must be an array, got "find"/],
      [{ exclude: [1] }, /traceAll\(\) exclude\[0\] must be a string that is not empty, got 1/],
      [{ tracerProvider: {} }, /traceAll\(\) tracerProvider must be a TracerProvider/],
    ] as const) {
      assert.throws(() => traceAll({}, options as never), { code: "INVALID_OPTION", message });
    }
  });
});

describe("traceAll", () => {
  class Repository {
    #rows = new Map([["a", 1]]);
    find(id: string) {
      return this.#rows.get(id);
    }
    async save(id: string, value: number) {
      this.#rows.set(id, value);
      return this.find(id);
    }
    get size() {
      return this.#rows.size;
    }
  }

  test("traces every method by the name of the class, private fields and getters work", async () => {
    const { tracerProvider, spans } = new Collected();
    const repository = traceAll(new Repository(), { tracerProvider });
    assert.equal(repository.find("a"), 1);
    assert.equal(await repository.save("b", 2), 2);
    assert.equal(repository.size, 2);
    assert.ok(repository instanceof Repository);
    assert.deepEqual(
      spans.map(({ name }) => name),
      ["Repository.find", "Repository.save"],
    );
  });

  test("prefix, include and exclude choose", async () => {
    const { tracerProvider, spans } = new Collected();
    const only = traceAll(new Repository(), { tracerProvider, prefix: "db", include: ["find"] });
    only.find("a");
    await only.save("a", 1);
    const without = traceAll(new Repository(), { tracerProvider, exclude: ["find"] });
    without.find("a");
    assert.deepEqual(
      spans.map(({ name }) => name),
      ["db.find"],
    );
  });

  test("kind, attributes, recordArgs and argsFilter hold for every method", async () => {
    const { tracerProvider, spans } = new Collected();
    const repository = traceAll(new Repository(), {
      tracerProvider,
      kind: SpanKind.CLIENT,
      attributes: { "db.system": "memory" },
      recordArgs: true,
      argsFilter: ([id]) => [id],
    });
    repository.find("a");
    await repository.save("a", 1);
    const all = { "db.system": "memory", "function.args": ['"a"'] };
    assert.deepEqual(
      spans.map(({ kind, attributes }) => [kind, attributes]),
      [
        [SpanKind.CLIENT, all],
        [SpanKind.CLIENT, all],
      ],
    );
  });

  test("a traced service is a service, its spans children of the call's", async () => {
    const collected = new Collected();
    const { tracerProvider } = collected;
    const service = traceAll(
      { echo: ({ text }: { text: string }) => ({ text }) },
      { tracerProvider, prefix: "svc" },
    );
    const server = createServer({
      services: [(router) => void router.service(EchoService, service)],
      interceptors: [createOtelInterceptor(collected.providers)],
    });
    assert.equal((await server.localClient(EchoService).echo({ text: "hi" })).text, "hi");
    const [inner, outer] = await collected.ended(2);
    assert.equal(inner?.name, "svc.echo");
    assert.equal(inner?.parentSpanContext?.spanId, outer?.spanContext().spanId);
  });
});

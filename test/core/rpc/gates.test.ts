import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { createServer, defineService, extendInterceptor } from "connectum/core";
import { GreeterService } from "../../../examples/greeter/gen/greeter/v1/greeter_pb.js";

type Answer = "passes" | "passes later" | "refuses" | "refuses later";

/** An interceptor whose gate answers so, and which notes its gate and each refusal it sees. */
function guard(name: string, answer: Answer, seen: string[]): Interceptor {
  const interceptor: Interceptor = (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      seen.push(`${name} sees ${(error as ConnectError).rawMessage}`);
      throw error;
    }
  };
  const refusal = () => new ConnectError(`refused by ${name}`, Code.PermissionDenied);
  return extendInterceptor(interceptor, {
    gate() {
      seen.push(name);
      if (answer === "refuses") throw refusal();
      if (answer === "passes") return undefined;
      return new Promise<void>((resolve, reject) =>
        setImmediate(() => (answer === "passes later" ? resolve() : reject(refusal()))),
      );
    },
  });
}

const answers: readonly Answer[] = ["passes", "passes later", "refuses", "refuses later"];

async function call(
  interceptors: Interceptor[],
  seen: string[],
): Promise<ConnectError | undefined> {
  const server = createServer({
    services: [
      defineService(GreeterService, {
        sayHello() {
          seen.push("handler");
          return {};
        },
      }),
    ],
    interceptors,
  });
  try {
    await server.localClient(GreeterService).sayHello({});
    return undefined;
  } catch (error) {
    return error as ConnectError;
  }
}

describe("gates that answer at once or later", () => {
  for (const first of answers) {
    for (const second of answers) {
      for (const third of answers) {
        test(`${first}, ${second}, ${third}: asked in order, up to the first that refuses`, async () => {
          const seen: string[] = [];
          const guards = [first, second, third].map((answer, index) =>
            guard(`gate ${index + 1}`, answer, seen),
          );
          const error = await call(guards, seen);

          const refusing = [first, second, third].findIndex((answer) =>
            answer.startsWith("refuses"),
          );
          const asked = ["gate 1", "gate 2", "gate 3"].slice(0, refusing === -1 ? 3 : refusing + 1);
          const refusal = `refused by gate ${refusing + 1}`;
          const outside = asked.slice(0, -1).reverse();
          assert.deepEqual(
            seen,
            refusing === -1
              ? [...asked, "handler"]
              : [...asked, ...outside.map((name) => `${name} sees ${refusal}`)],
          );
          assert.equal(error?.rawMessage, refusing === -1 ? undefined : refusal);
        });
      }
    }
  }

  test("an interceptor that is mounted twice is asked twice", async () => {
    const seen: string[] = [];
    const twice = guard("gate", "passes later", seen);
    assert.equal(await call([twice, twice], seen), undefined);
    assert.deepEqual(seen, ["gate", "gate", "handler"]);
  });
});

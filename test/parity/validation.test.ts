import { describe } from "node:test";
import { createValidationInterceptor } from "connectum/interceptors";
import { GuardedService } from "../interceptors/gen/connectum/guarded/v1/guarded_pb.js";
import { outcomeOf } from "./outcome.ts";
import { parityOf } from "./parity.ts";

const interceptors = [createValidationInterceptor()];

async function* named(...names: string[]) {
  for (const name of names) yield { name };
}

/** How many messages a stream had, and how it ended. */
async function drain(messages: AsyncIterable<unknown>): Promise<unknown> {
  let count = 0;
  const reading = async () => {
    for await (const _ of messages) count++;
  };
  return { end: await outcomeOf(reading()), count };
}

describe("validation is the same everywhere", () => {
  const requests = {
    "a valid one": { name: "ada", age: 36 },
    "one broken rule": { name: "a" },
    "every rule broken": {
      name: "",
      age: 150,
      others: Array.from({ length: 101 }, () => ({})),
      account: { id: "x".repeat(41) },
    },
  };
  for (const [name, request] of Object.entries(requests)) {
    parityOf(GuardedService, `a unary request: ${name}`, (log) => ({
      interceptors,
      service: {
        save(message) {
          log(message.name);
          return {};
        },
      },
      call: async (client) => void (await client.save(request)),
      expect: request.name === "ada" ? ["ada"] : [],
    }));
  }

  for (const name of ["ada", "x"]) {
    const isValid = name === "ada";

    parityOf(GuardedService, `the request ${name} of a server stream`, (log) => ({
      interceptors,
      // Refused before it is sent or after, depending on the transport.
      isCutShort: !isValid,
      service: {
        async *list(message) {
          log(message.name);
          yield {};
          yield {};
        },
      },
      call: (client) => drain(client.list({ name })),
      expect: isValid ? ["ada"] : [],
    }));

    parityOf(GuardedService, `${name} as the second of a client stream`, (log) => ({
      interceptors,
      isCutShort: !isValid,
      service: {
        async import(messages) {
          for await (const message of messages) log(message.name);
          return {};
        },
      },
      call: async (client) => void (await client.import(named("first", name))),
      expect: isValid ? ["first", "ada"] : ["first"],
    }));

    parityOf(GuardedService, `${name} as the second of a bidi stream`, (log) => ({
      interceptors,
      isCutShort: !isValid,
      isFullDuplex: true,
      service: {
        async *sync(messages) {
          for await (const message of messages) {
            log(message.name);
            yield {};
          }
        },
      },
      call: (client) => drain(client.sync(named("first", name))),
      expect: isValid ? ["first", "ada"] : ["first"],
    }));
  }

  parityOf(GuardedService, "an answer that breaks its rules", () => ({
    interceptors: [createValidationInterceptor({ validateResponses: true })],
    service: { save: () => ({ name: "x".repeat(21) }) },
    call: async (client) => void (await client.save({ name: "ada" })),
  }));

  parityOf(GuardedService, "rules that do not compile", () => ({
    interceptors,
    service: { broken: () => ({}) },
    call: async (client) => void (await client.broken({ name: "ada" })),
  }));
});

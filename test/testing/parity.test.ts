import { ConnectError, createClient } from "@connectrpc/connect";
import { defineService } from "connectum/core";
import { transportParityTest } from "connectum/testing/parity";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";

const greeterRoutes = defineService(GreeterService, greeter);

// The example of the guide as it stands.
transportParityTest("greeter.sayHello rejects empty name", {
  services: [greeterRoutes],
  scenario: async ({ transport }) => {
    const client = createClient(GreeterService, transport);
    try {
      return { response: await client.sayHello({ name: "" }) };
    } catch (err) {
      const e = ConnectError.from(err);
      return { error: { code: e.code, message: e.message } };
    }
  },
});

transportParityTest("all kinds of calls, answered", {
  services: [greeterRoutes],
  async scenario({ transport }) {
    const client = createClient(GreeterService, transport);
    const greetings = [(await client.sayHello({ name: "Ada" })).greeting];
    for await (const { greeting } of client.sayHelloInLanguages({ name: "Ada" })) {
      greetings.push(greeting);
    }
    return greetings;
  },
  expect: ["Hello, Ada!", "Hello, Ada!", "Bonjour, Ada!", "Hola, Ada!", "Ciao, Ada!"],
});

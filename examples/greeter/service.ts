import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { GreeterService } from "./gen/greeter/v1/greeter_pb.js";

const hello = ["Hello", "Bonjour", "Hola", "Ciao"];

export const greeter: ServiceImpl<typeof GreeterService> = {
  sayHello({ name }) {
    if (name === "") throw new ConnectError("name is empty", Code.InvalidArgument);
    return { greeting: `Hello, ${name}!` };
  },

  async *sayHelloInLanguages({ name }) {
    for (const word of hello) yield { greeting: `${word}, ${name}!` };
  },

  async *converse(requests) {
    for await (const { name } of requests) yield { greeting: `Hello, ${name}!` };
  },
};

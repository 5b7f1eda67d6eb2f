import { defineService } from "connectum/core";
import { GreeterService } from "../../../../examples/greeter/gen/greeter/v1/greeter_pb.js";

export default defineService(GreeterService, {
  async *sayHelloInLanguages({ name }, { signal }) {
    yield { greeting: `Hello, ${name}!` };
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  },
});

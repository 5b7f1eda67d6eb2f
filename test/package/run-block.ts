import assert from "node:assert/strict";
import { type AddressInfo, Server } from "node:net";
import { pathToFileURL } from "node:url";

// A block may say any port; here it gets a free one, so that tests do not meet on it.
const onFixedPorts: Server[] = [];
const { listen } = Server.prototype;
Server.prototype.listen = function (this: Server, ...args: unknown[]) {
  const [first] = args;
  const { port = 0 } = typeof first === "object" && first !== null ? (first as AddressInfo) : {};
  if (port !== 0) {
    onFixedPorts.push(this);
    args[0] = { ...(first as object), port: 0 };
  }
  return Reflect.apply(listen, this, args);
} as typeof listen;

await import(pathToFileURL(process.argv[2] as string).href);

// Blocks that start a server serve the greeter and stop by a signal; a second one ends the drain.
for (const server of onFixedPorts) {
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/greeter.v1.GreeterService/SayHello`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: JSON.stringify({ name: "Ada" }),
  });
  assert.deepEqual(await response.json(), { greeting: "Hello, Ada!" });
}
if (onFixedPorts.length > 0) {
  process.kill(process.pid, "SIGTERM");
  setImmediate(() => process.kill(process.pid, "SIGTERM"));
}

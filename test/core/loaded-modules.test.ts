import assert from "node:assert/strict";
import { type Debugger, Session } from "node:inspector";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createServer, defineService } from "connectum/core";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";

/** Every script this process has loaded so far. */
function loadedScripts(): string[] {
  const session = new Session();
  const urls: string[] = [];
  session.connect();
  session.on(
    "Debugger.scriptParsed",
    ({ params }: { params: Debugger.ScriptParsedEventDataType }) => urls.push(params.url),
  );
  session.post("Debugger.enable");
  session.disconnect();
  return urls;
}

const ofConnectNode = (url: string) => /\/@connectrpc\/connect-node\//.test(url);

test("a server that calls no other server does not load connect-node", async (t) => {
  const services = [defineService(GreeterService, greeter)];
  // createTestServer() would load it for its transports.
  const server = createServer({ services, port: 0, host: "127.0.0.1" });
  await server.start();
  t.after(() => server.stop());
  const { port } = server.address as AddressInfo;
  await server.localClient(GreeterService).sayHello({ name: "Ada" });
  await server.client(GreeterService).sayHello({ name: "Ada" });
  const response = await fetch(`http://127.0.0.1:${port}/${GreeterService.typeName}/SayHello`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"name":"Ada"}',
  });
  assert.equal(response.status, 200);
  assert.deepEqual(loadedScripts().filter(ofConnectNode), []);
  assert.ok(loadedScripts().some((url) => /\/@connectrpc\/connect\//.test(url)));

  const { createConnectTransport } = await import("@connectrpc/connect-node");
  assert.ok(createConnectTransport);
  assert.ok(loadedScripts().some(ofConnectNode), "it would have been noticed");
});

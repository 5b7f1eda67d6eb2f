import assert from "node:assert/strict";
import { once } from "node:events";
import * as http2 from "node:http2";
import { test } from "node:test";
import { defineService } from "connectum/core";
import { createTestServer } from "connectum/testing";
import { ScriptService } from "../../gen/connectum/script/v1/script_pb.js";
import { openHttp2 } from "./raw-call.ts";

const LEFT_CALLS = 80;

// node:http2 counts what it could not send to a client that left as memory of the session, for ever, and
// refuses every stream of a session that has 10 MB of it unless told otherwise.
test("a connection outlives any number of calls left while their answers were written", async (t) => {
  const { baseUrl } = await createTestServer({
    t,
    services: [
      defineService(ScriptService, {
        once: () => ({ content: { payload: new Uint8Array(512 * 1024) } }),
        look: () => ({ content: { text: "served" } }),
      }),
    ],
  });
  const session = http2.connect(baseUrl);
  t.after(() => session.destroy());
  for (let count = 0; count < LEFT_CALLS; count++) {
    const call = openHttp2(session, `/${ScriptService.typeName}/Once`, "application/grpc");
    call.write(Buffer.alloc(5));
    call.end();
    await call.answered();
    call.leave();
  }
  const stream = session.request({
    ":method": "GET",
    ":path": `/${ScriptService.typeName}/Look?connect=v1&encoding=json&message={}`,
  });
  const [headers] = await once(stream, "response");
  assert.equal(headers[":status"], 200);
  stream.close();
});

import assert from "node:assert/strict";
import { ENHANCE_YOUR_CALM, RawHttp2, requestHeaders } from "../../support/raw-http2.ts";
import { openHttp1, untilClosed } from "./raw-http1.ts";
import { send } from "./request.ts";
import { onEverySite } from "./sites.ts";

const path = "/connectum.load.v1.LoadService/Echo";

for (const [name, options, size] of [
  ["16 KiB", {}, 16 * 1024],
  ["maxHeaderBytes", { maxHeaderBytes: 2_000 }, 2_000],
] as const) {
  onEverySite(`HTTP/1.1 headers over ${name} are answered 431`, options, async (site) => {
    const socket = await openHttp1(site.port, site.isTls);
    socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nX-Large: ${"a".repeat(size)}\r\n\r\n`);
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 431 /);
  });

  onEverySite(`HTTP/2 headers over ${name} reset their stream alone`, options, async (site) => {
    const client = await RawHttp2.connect(site.port, site.isTls);
    client.request(1, { ...requestHeaders(path), "x-large": "a".repeat(size) });
    assert.equal(await client.reset(1), ENHANCE_YOUR_CALM);
    client.request(3, requestHeaders("/nowhere"), 5);
    assert.ok(await client.find(({ streamId }) => streamId === 3));
    client.socket.destroy();
  });
}

onEverySite("headers within maxHeaderBytes pass", { maxHeaderBytes: 40_000 }, async (site) => {
  for (const version of ["HTTP/1.1", "HTTP/2"] as const) {
    const headers = { "content-type": "application/json", "x-large": "a".repeat(30_000) };
    const answer = await send(site, version, { path, headers, body: "{}" });
    assert.equal(answer.status, 200, version);
  }
});

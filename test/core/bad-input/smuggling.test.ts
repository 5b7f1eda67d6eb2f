import assert from "node:assert/strict";
import { openHttp1, untilClosed } from "./raw-http1.ts";
import { onEverySite } from "./sites.ts";

const path = "/connectum.load.v1.LoadService/Echo";
const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
const smuggled = `POST ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

const shapes: Record<string, string> = {
  "content-length beside chunked": `${head}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "chunked beside content-length": `${head}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${smuggled}`,
  "two lengths": `${head}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}${smuggled}`,
  "a list of lengths": `${head}Content-Length: 2, 40\r\n\r\n{}${smuggled}`,
  "a length with a sign": `${head}Content-Length: +2\r\n\r\n{}${smuggled}`,
  "a length in hex": `${head}Content-Length: 0x2\r\n\r\n{}${smuggled}`,
  "an unknown transfer coding": `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "chunked that is not last": `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
  "a space before the colon": `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "a folded header": `${head}X-Folded: a\r\n Transfer-Encoding: chunked\r\nBad\r\n\r\n`,
  "a bare line feed": `${head}X-Bare: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  "a NUL in a value": `${head}X-Nul: a\0b\r\nContent-Length: 2\r\n\r\n{}`,
  "a chunk size that is none": `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  "a chunk longer than it says": `${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx\r\n0\r\n\r\n`,
  "no Host": `POST ${path} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}`,
  "no request line": "\0\0\0\0\r\n\r\n",
};

for (const [name, bytes] of Object.entries(shapes)) {
  onEverySite(`HTTP/1.1 with ${name} is answered 400 and closed`, {}, async (site) => {
    const socket = await openHttp1(site.port, site.isTls);
    socket.write(bytes, "latin1");
    const answer = await untilClosed(socket);
    const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
    assert.deepEqual(statuses, ["400"], answer);
  });
}

import assert from "node:assert/strict";
import { httpVersions, send } from "./request.ts";
import { service, wires } from "./rpc.ts";
import { onEverySite } from "./sites.ts";

onEverySite("an unknown path is answered 404", {}, async (site) => {
  for (const version of httpVersions) {
    const headers = { "content-type": "application/json" };
    for (const path of ["/", "/nowhere", "/no.Service/Method", `${service}/Echo/more`]) {
      const { status } = await send(site, version, { path, headers, body: "{}" });
      assert.equal(status, 404, `${version} ${path}`);
    }
  }
});

onEverySite(
  "an unknown content type is answered 415 with those that are known",
  {},
  async (site) => {
    for (const version of httpVersions) {
      for (const type of [
        "text/plain",
        "application/json; charset=latin1",
        "application/grpc+thrift",
      ]) {
        const answer = await send(site, version, {
          path: `${service}/Echo`,
          headers: { "content-type": type },
          body: "{}",
        });
        assert.equal(answer.status, 415, `${version} ${type}`);
        assert.match(String(answer.headers["accept-post"]), /application\/json/);
      }
      const none = await send(site, version, { path: `${service}/Echo`, body: "{}" });
      assert.equal(none.status, 415);
    }
  },
);

onEverySite(
  "an unknown HTTP method is answered 405 with those that are allowed",
  {},
  async (site) => {
    for (const version of httpVersions) {
      for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
        const answer = await send(site, version, { method, path: `${service}/Echo` });
        assert.equal(answer.status, 405, `${version} ${method}`);
        assert.equal(answer.headers.allow, "GET, POST");
      }
      const get = await send(site, version, { method: "GET", path: `${service}/Upload` });
      assert.equal(get.status, 405);
      assert.equal(get.headers.allow, "POST");
    }
  },
);

onEverySite("an unknown method of a known service is unimplemented", {}, async (site) => {
  for (const wire of wires) {
    const answer = await send(site, wire.version, {
      path: `${service}/Ecko`,
      headers: { "content-type": wire.contentType },
      body: "{}",
    });
    assert.equal(wire.status(answer), 12, wire.name);
  }
  for (const version of httpVersions) {
    const answer = await send(site, version, {
      path: `${service}/Ecko`,
      headers: { "content-type": "application/connect+json" },
    });
    assert.equal(answer.status, 200);
    const { error } = JSON.parse(answer.body.subarray(5).toString());
    assert.equal(error.code, "unimplemented");
    assert.match(error.message, /LoadService\/Ecko is no method/);
    const get = await send(site, version, { method: "GET", path: `${service}/Ecko` });
    assert.equal(get.status, 404);
  }
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Reflection } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { run } from "../interop/tools.ts";
import { createWire, wireNames } from "../support/plain-and-tls.ts";
import { catalog } from "./catalog.ts";

for (const wireName of wireNames) {
  describe(`buf curl --reflect on ${wireName}`, () => {
    for (const reflectProtocol of ["grpc-v1", "grpc-v1alpha"]) {
      for (const protocol of ["connect", "grpc", "grpcweb"]) {
        test(`${reflectProtocol} over ${protocol}`, async (t) => {
          const { tls, ca } = await createWire(t, wireName);
          const { baseUrl } = await createTestServer({
            t,
            services: catalog,
            protocols: [Reflection()],
            tls,
          });
          const curl = async (...args: string[]) => {
            const { status, stdout, stderr } = await run("buf", [
              ...["curl", "--protocol", protocol],
              ...(ca ? ["--cacert", ca] : ["--http2-prior-knowledge"]),
              ...["--reflect", "--reflect-protocol", reflectProtocol, ...args],
            ]);
            assert.equal(status, 0, stderr);
            return stdout;
          };
          const services = await curl("--list-services", baseUrl);
          assert.deepEqual(services.trim().split("\n"), [
            "connectum.test.v1.AuditService",
            "connectum.test.v1.CatalogService",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
          ]);
          const method = `${baseUrl}/connectum.test.v1.CatalogService/GetItem`;
          const { item, legacy } = JSON.parse(await curl("-d", '{"id":"7"}', method));
          assert.equal(item.details[0].name, "bolt");
          assert.equal(legacy["[connectum.test.v1.nickname]"], "nick");
        });
      }
    }
  });
}

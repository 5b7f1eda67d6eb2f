import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Reflection } from "connectum/reflection";
import { startServer } from "../support/start-server.ts";
import { catalog } from "./catalog.ts";
import { bufPath, runTool } from "./tools.ts";

describe("buf curl --reflect", () => {
  for (const reflectProtocol of ["grpc-v1", "grpc-v1alpha"]) {
    for (const protocol of ["connect", "grpc", "grpcweb"]) {
      test(`${reflectProtocol} over ${protocol}`, async (t) => {
        const { baseUrl } = await startServer(t, {
          services: catalog,
          protocols: [Reflection()],
        });
        const curl = async (...args: string[]) => {
          const { code, stdout, stderr } = await runTool(bufPath, [
            ...["curl", "--http2-prior-knowledge", "--protocol", protocol],
            ...["--reflect", "--reflect-protocol", reflectProtocol, ...args],
          ]);
          assert.equal(code, 0, stderr);
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

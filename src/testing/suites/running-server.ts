import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import { type Server, ServerState } from "../../core/index.ts";
import type { BuildServer } from "./server-contract-suite.ts";

/** A server of somebody else's making, started, with what a suite wants to know of it. */
export interface RunningServer {
  readonly server: Server;
  readonly baseUrl: string;
  readonly services: readonly DescService[];
  readonly typeNames: readonly string[];
}

export async function startForSuite(build: BuildServer): Promise<RunningServer> {
  const server = await build();
  assert.equal(
    server.state,
    ServerState.CREATED,
    "buildServer() must return a server that is not started",
  );
  let services: readonly DescService[] = [];
  server.addProtocol({
    name: "connectum/testing/suites",
    register() {},
    attach(context) {
      services = context.services;
    },
  });
  await server.start();
  const { port } = server.address as AddressInfo;
  return {
    server,
    baseUrl: `http://127.0.0.1:${port}`,
    services,
    typeNames: services.map(({ typeName }) => typeName),
  };
}

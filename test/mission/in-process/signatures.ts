import type { DescService } from "@bufbuild/protobuf";
import type { Client, Interceptor, Transport } from "@connectrpc/connect";
import { createLocalTransport, type Server, type ServerClientOptions } from "connectum/core";

// The signatures of the API reference; whoever passes a server compiles only if it has them.
export interface ClientFactories {
  client<T extends DescService>(
    service: T,
    options?: ServerClientOptions, // { endpoint?: string }
  ): Client<T>;
  localClient<T extends DescService>(service: T): Client<T>;
  hasService(desc: DescService): boolean;
}

export const factoriesOf = (server: Server): ClientFactories => server;
export const endpoint: ServerClientOptions = { endpoint: "eu-1" };
export const localTransport: (
  server: Server,
  options?: { interceptors?: Interceptor[] },
) => Transport = createLocalTransport;

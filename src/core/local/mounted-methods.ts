import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { ConnectumError } from "../errors.ts";
import { localDoorOf } from "./create-local-transport.ts";
import type { LocalDoor } from "./local-door.ts";

/** A method as a server serves it. */
export interface MountedMethod {
  readonly method: DescMethod;
  /** Those of the server and of its service, outermost first. */
  readonly interceptors: readonly Interceptor[];
}

/** Every RPC of a server with what runs around it, protocols' own included. Freezes the routes. */
export function mountedMethods(where: string, server: object): MountedMethod[] {
  const door = (server as { [localDoorOf]?: LocalDoor })[localDoorOf];
  if (!door) {
    throw new ConnectumError("INVALID_OPTION", `${where} takes a server made by createServer()`);
  }
  return [...door.methods.values()].map(({ desc, options }) => ({
    method: desc,
    interceptors: options.interceptors,
  }));
}

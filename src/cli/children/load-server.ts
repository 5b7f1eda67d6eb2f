import { pathToFileURL } from "node:url";
import type { Server } from "../../core/index.ts";
import { CliError, messageOf } from "../cli-error.ts";

interface ServerModule {
  readonly buildServer?: unknown;
  readonly default?: unknown;
}

/**
 * The server of a module that exports `buildServer(): Server` or one as default, not started. A
 * default export comes anew for every `copy`.
 */
export async function loadServer(path: string, copy = ""): Promise<Server> {
  const url = pathToFileURL(path);
  let loaded: ServerModule;
  try {
    loaded = await import(url.href);
    if (copy !== "" && typeof loaded.buildServer !== "function") {
      url.search = copy;
      loaded = await import(url.href);
    }
  } catch (cause) {
    const lacksCode = /Cannot find module .*_pb\.[jt]s/.test(messageOf(cause));
    throw new CliError(`${path} cannot be loaded: ${messageOf(cause)}`, {
      hint: lacksCode ? "generate the code first: connectum generate" : undefined,
      cause,
    });
  }
  const { buildServer, default: exported } = loaded;
  const server = typeof buildServer === "function" ? await buildServer() : exported;
  if (isServer(server)) return server;
  throw new CliError(`${path} exports no server`, {
    hint: "export a function buildServer(): Server, or a Server that is not started as default",
  });
}

function isServer(value: unknown): value is Server {
  const { start, routes } = (value ?? {}) as Partial<Server>;
  return typeof start === "function" && Array.isArray(routes);
}

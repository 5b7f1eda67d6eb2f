import { relative } from "node:path";
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
  const shown = shorten(path);
  let loaded: ServerModule;
  try {
    loaded = await import(url.href);
    if (copy !== "" && typeof loaded.buildServer !== "function") {
      url.search = copy;
      loaded = await import(url.href);
    }
  } catch (cause) {
    const [, missing] = /Cannot find module '(.*_pb\.[jt]s)'/.exec(messageOf(cause)) ?? [];
    if (missing === undefined) {
      throw new CliError(`${shown} cannot be loaded: ${messageOf(cause)}`, { cause });
    }
    throw new CliError(`${shown} needs generated code that is not there: ${shorten(missing)}`, {
      hint: "generate the code first: connectum generate",
      cause,
    });
  }
  const { buildServer, default: exported } = loaded;
  const server = typeof buildServer === "function" ? await buildServer() : exported;
  if (isServer(server)) return server;
  throw new CliError(`${shown} exports no server`, {
    hint: "export a function buildServer(): Server, or a Server that is not started as default",
  });
}

/** A path as a person in the project would write it. */
function shorten(path: string): string {
  const inProject = relative(process.cwd(), path);
  return inProject.startsWith("..") ? path : inProject;
}

function isServer(value: unknown): value is Server {
  const { start, routes } = (value ?? {}) as Partial<Server>;
  return typeof start === "function" && Array.isArray(routes);
}

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { DescService } from "@bufbuild/protobuf";
import { createConnectRouter } from "@connectrpc/connect";
import type { Server } from "../../core/index.ts";
import { CliError, messageOf } from "../cli-error.ts";
import type {
  AccessRow,
  GeneratedService,
  Inspection,
  InspectionAnswer,
} from "../project/inspect-server.ts";
import { loadServer } from "./load-server.ts";

// Runs as a child process, so that whatever the module does stays there.
process.once("message", async (inspection: Inspection) => {
  const answer = await inspect(inspection).catch(failure);
  // Something of the module may keep the process alive.
  process.send?.(answer, () => process.exit());
});

async function inspect(inspection: Inspection): Promise<InspectionAnswer> {
  const server = await loadServer(inspection.entry);
  if (inspection.kind === "access") return { access: await explainAccess(server) };
  const mounted = mountedServices(server);
  const services: GeneratedService[] = [];
  for (const module of inspection.modules) {
    for (const [exportName, value] of Object.entries(await import(pathToFileURL(module).href))) {
      if (!isService(value)) continue;
      const { typeName } = value;
      services.push({ typeName, module, exportName, isMounted: mounted.has(typeName) });
    }
  }
  return { services };
}

/** The rules of the project's own connectum/auth, whose keys the server's interceptors carry. */
async function explainAccess(server: Server): Promise<AccessRow[]> {
  const require = createRequire(`${process.cwd()}/package.json`);
  let path: string;
  try {
    path = require.resolve("connectum/auth");
  } catch (cause) {
    throw new CliError("the project's connectum has no connectum/auth", {
      hint: "install or update it: npm install connectum",
      cause,
    });
  }
  const { explainAuthz } = (await import(pathToFileURL(path).href)) as {
    explainAuthz: (server: Server) => AccessRow[];
  };
  return explainAuthz(server);
}

function mountedServices(server: Server): Set<string> {
  const router = createConnectRouter();
  for (const route of server.routes) {
    if (typeof route === "function") route(router);
    else route.register(router);
  }
  return new Set(router.handlers.map(({ service }) => service.typeName));
}

function isService(value: unknown): value is DescService {
  return (value as DescService | undefined)?.kind === "service";
}

function failure(error: unknown): InspectionAnswer {
  const hint = error instanceof CliError ? error.hint : undefined;
  const cause = error instanceof CliError ? (error.cause ?? error) : error;
  const stack = cause instanceof Error ? cause.stack : undefined;
  return {
    error: messageOf(error),
    ...(hint === undefined ? {} : { hint }),
    ...(stack === undefined ? {} : { stack }),
  };
}

import type { CommandGroup } from "./command.ts";

/** Every command, in the order `--help` shows them. */
export const program: CommandGroup = {
  description: "Production gRPC and Connect services on Node.js: make one, run it, call it.",
  commands: {
    init: {
      description: "Make a service that runs",
      load: async () => (await import("./commands/init.ts")).initCommand,
    },
    generate: {
      description: "Generate code from .proto files",
      load: async () => (await import("./commands/generate.ts")).generateCommand,
    },
    call: {
      description: "Call any method of a running server",
      load: async () => (await import("./commands/call.ts")).callCommand,
    },
    list: {
      description: "List the services of a running server",
      load: async () => (await import("./commands/list.ts")).listCommand,
    },
    describe: {
      description: "Show a service, method or message as protobuf source",
      load: async () => (await import("./commands/describe.ts")).describeCommand,
    },
    health: {
      description: "Ask a server for its health",
      load: async () => (await import("./commands/health.ts")).healthCommand,
    },
    proto: {
      description: "Schemas of other servers.",
      commands: {
        sync: {
          description: "Generate clients of a running server",
          load: async () => (await import("./commands/proto-sync.ts")).protoSyncCommand,
        },
      },
    },
  },
};

import type { CommandGroup } from "./command.ts";

/** Every command, in the order `--help` shows them. */
export const program: CommandGroup = {
  description: "Production gRPC and Connect services on Node.js: make one, run it, call it.",
  commands: {
    init: {
      description: "Make a service that runs",
      load: async () => (await import("./commands/init.ts")).initCommand,
    },
    add: {
      description: "Add to a project.",
      commands: {
        service: {
          description: "Add a service to a project",
          load: async () => (await import("./commands/add-service.ts")).addServiceCommand,
        },
      },
    },
    generate: {
      description: "Generate code from .proto files",
      load: async () => (await import("./commands/generate.ts")).generateCommand,
    },
    dev: {
      description: "Run the service, restart it on every change",
      load: async () => (await import("./commands/dev.ts")).devCommand,
    },
    test: {
      description: "Test that a server is fit for production",
      load: async () => (await import("./commands/test.ts")).testCommand,
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
    catalog: {
      description: "Write a typed catalog of the project's services",
      load: async () => (await import("./commands/catalog.ts")).catalogCommand,
    },
    auth: {
      description: "Access rules.",
      commands: {
        explain: {
          description: "Show who may call each method",
          load: async () => (await import("./commands/auth-explain.ts")).authExplainCommand,
        },
      },
    },
    doctor: {
      description: "Look for what is wrong with a project",
      load: async () => (await import("./commands/doctor.ts")).doctorCommand,
    },
  },
};

import { defineCliCommand } from "../command.ts";
import { parseTarget, withConnection } from "../remote/connection.ts";
import { connectionArgs } from "../remote/connection-args.ts";
import { reportingErrors } from "../remote/error-report.ts";
import { RemoteSchema } from "../remote/remote-schema.ts";
import { paint } from "../terminal.ts";

export const listCommand = defineCliCommand({
  description: "List the services of a running server, or the methods of one of them.",
  examples: ["list http://localhost:5000", "list localhost:5000 greeter.v1.GreeterService"],
  args: {
    url: {
      type: "positional",
      description: "Server, such as http://localhost:5000",
      required: true,
    },
    service: {
      type: "positional",
      required: false,
      description: "Service whose methods to list",
    },
    ...connectionArgs,
    json: { type: "boolean", description: "Services and methods as JSON" },
  },
  repeatable: ["header"],
  async run({ args, rawArgs }) {
    const target = parseTarget(args.url, args, rawArgs);
    await withConnection(target, (connection) =>
      reportingErrors(connection, async () => {
        const schema = new RemoteSchema(connection.transport());
        try {
          const names = args.service ? [args.service] : await schema.listServices();
          if (args.json) await printJson(schema, names);
          else if (args.service) await printMethods(schema, args.service, args.url);
          else printServices(names, args.url);
        } finally {
          await schema.close();
        }
      }),
    );
  },
});

function printServices(names: readonly string[], url: string): void {
  print(names);
  const own = names.find((name) => !/^grpc\./.test(name)) ?? names[0];
  if (own !== undefined) suggest("Its methods", `list ${url} ${own}`);
}

async function printMethods(schema: RemoteSchema, name: string, url: string): Promise<void> {
  const { methods } = await schema.service(name);
  const paths = methods.map((method) => `${name}/${method.name}`);
  print(paths);
  if (paths[0] !== undefined) suggest("What it takes", `describe ${url} ${paths[0]}`);
}

/** What a person may want next; output that goes to a program has data alone. */
function suggest(text: string, command: string): void {
  if (!process.stdout.isTTY) return;
  const { cyan } = paint(process.stdout);
  process.stdout.write(`\n${text}: ${cyan(`npx connectum ${command}`)}\n`);
}

async function printJson(schema: RemoteSchema, names: readonly string[]): Promise<void> {
  const services = [];
  for (const name of names) {
    const { methods } = await schema.service(name);
    services.push({
      service: name,
      methods: methods.map((method) => ({
        name: method.name,
        kind: method.methodKind,
        request: method.input.typeName,
        response: method.output.typeName,
      })),
    });
  }
  process.stdout.write(`${JSON.stringify(services, undefined, 2)}\n`);
}

function print(lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

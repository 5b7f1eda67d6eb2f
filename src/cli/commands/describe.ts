import type {
  AnyDesc,
  DescEnum,
  DescExtension,
  DescMessage,
  DescMethod,
  DescService,
} from "@bufbuild/protobuf";
import { usageError } from "../cli-error.ts";
import { defineCliCommand } from "../command.ts";
import { exampleJson } from "../json/example-json.ts";
import { printSymbol } from "../print-proto/print-file.ts";
import { parseTarget, withConnection } from "../remote/connection.ts";
import { connectionArgs } from "../remote/connection-args.ts";
import { reportingErrors } from "../remote/error-report.ts";
import { RemoteSchema } from "../remote/remote-schema.ts";
import { paint } from "../terminal.ts";

export const describeCommand = defineCliCommand({
  description:
    "Show a service, method, message, enum or extension of a running server as protobuf source, and a request to fill in.",
  examples: [
    "describe http://localhost:5000 greeter.v1.GreeterService",
    "describe localhost:5000 greeter.v1.GreeterService/SayHello",
  ],
  args: {
    url: {
      type: "positional",
      description: "Server, such as http://localhost:5000",
      required: true,
    },
    symbol: {
      type: "positional",
      description: "Full name, such as greeter.v1.SayHelloRequest",
      required: true,
    },
    ...connectionArgs,
    json: { type: "boolean", description: "Name, kind, file, source and example as JSON" },
  },
  repeatable: ["header"],
  async run({ args, rawArgs }) {
    const target = parseTarget(args.url, args, rawArgs);
    await withConnection(target, (connection) =>
      reportingErrors(connection, async () => {
        const schema = new RemoteSchema(connection.transport());
        try {
          const desc = await find(schema, args.symbol);
          if (args.json) printJson(desc, schema);
          else printText(desc, schema);
        } finally {
          await schema.close();
        }
      }),
    );
  },
});

type Described = DescService | DescMethod | DescMessage | DescEnum | DescExtension;

async function find(schema: RemoteSchema, symbol: string): Promise<Described> {
  if (symbol.includes("/")) return schema.method(symbol);
  if (await schema.load(symbol)) {
    const desc = schema.registry.get(symbol) ?? member(schema, symbol);
    if (desc) return desc;
  }
  throw usageError(
    `the server does not know "${symbol}"`,
    "names are full, such as package.Message; see: connectum list <url>",
  );
}

/** A method by its dotted name; for a field or value the declaration it stands in. */
function member(schema: RemoteSchema, symbol: string): Described | undefined {
  const dot = symbol.lastIndexOf(".");
  const parent = schema.registry.get(symbol.slice(0, Math.max(dot, 0)));
  if (parent?.kind !== "service") return parent;
  return parent.methods.find(({ name }) => name === symbol.slice(dot + 1));
}

function fileOf(desc: Described): string {
  return (desc.kind === "rpc" ? desc.parent : desc).file.proto.name;
}

function nameOf(desc: Described): string {
  return desc.kind === "rpc" ? `${desc.parent.typeName}/${desc.name}` : desc.typeName;
}

function exampleOf(desc: Described) {
  if (desc.kind === "rpc") return exampleJson(desc.input);
  return desc.kind === "message" ? exampleJson(desc) : undefined;
}

function printText(desc: Described, schema: RemoteSchema): void {
  const { dim } = paint(process.stdout);
  const { registry } = schema;
  const source = (shown: AnyDesc) => printSymbol(shown, registry, registry.files);
  const parts = [`${dim(`// ${nameOf(desc)}, in ${fileOf(desc)}`)}\n${source(desc)}`];
  if (desc.kind === "rpc") parts.push(source(desc.input), source(desc.output));
  const example = exampleOf(desc);
  if (example !== undefined) {
    parts.push(`${dim("// As JSON")}\n${JSON.stringify(example, undefined, 2)}`);
  }
  process.stdout.write(`${parts.join("\n\n")}\n`);
}

function printJson(desc: Described, { registry }: RemoteSchema): void {
  const example = exampleOf(desc);
  const described = {
    name: nameOf(desc),
    kind: desc.kind === "rpc" ? "method" : desc.kind,
    file: fileOf(desc),
    source: printSymbol(desc, registry, registry.files),
    ...(example === undefined ? {} : { example }),
  };
  process.stdout.write(`${JSON.stringify(described, undefined, 2)}\n`);
}

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { CliError, usageError } from "../cli-error.ts";
import { defineCliCommand } from "../command.ts";
import { allValues } from "../command-line.ts";
import { startProgress } from "../progress.ts";
import { builtInTemplate, chooseTemplate, runBuf } from "../project/buf.ts";
import { Project } from "../project/project.ts";
import { compareFolders, copyChanges, type FileChanges } from "../project/write-files.ts";
import { parseTarget, type Target, withConnection } from "../remote/connection.ts";
import { connectionArgs } from "../remote/connection-args.ts";
import { reportingErrors } from "../remote/error-report.ts";
import { RemoteSchema } from "../remote/remote-schema.ts";
import { paint } from "../terminal.ts";

/** Services every server may have; their clients come with packages. */
const INFRASTRUCTURE = /^grpc\.(reflection|health|channelz)\./;

const args = {
  from: { type: "string", valueHint: "url", description: "Server, such as http://localhost:5000" },
  out: { type: "string", valueHint: "dir", description: "Folder for the generated files" },
  template: {
    type: "string",
    valueHint: "file",
    description: "buf.gen.yaml to use. Default: JavaScript with types, by protoc-gen-es",
  },
  service: {
    type: "string",
    valueHint: "name",
    description: "Only this service; may be given more than once",
  },
  "dry-run": { type: "boolean", description: "Say what would be written, and write nothing" },
  ...connectionArgs,
  json: { type: "boolean", description: "Services and files as JSON" },
} as const;

export const protoSyncCommand = defineCliCommand({
  description:
    "Generate clients of a running server. Its schema is read through reflection; nothing else is needed of it.",
  examples: [
    "proto sync --from http://localhost:5000 --out src/clients",
    "proto sync --from https://api.example.com --out gen --dry-run",
  ],
  args,
  repeatable: ["header", "service"],
  async run({ args: flags, rawArgs }) {
    const { from, out, template } = flags;
    if (from === undefined) throw usageError("proto sync needs --from <url>");
    if (out === undefined) throw usageError("proto sync needs --out <dir>");
    const target = parseTarget(from, flags, rawArgs);
    const isDryRun = flags["dry-run"] ?? false;
    const project = Project.find();
    const progress = startProgress(`Reading the schema of ${target.url.host}`, flags.json);
    const folder = mkdtempSync(join(tmpdir(), "connectum-sync-"));
    try {
      const schema = await readSchema(target, allValues(args, rawArgs, "service"), progress.update);
      progress.update(`Generating clients of ${count(schema.services.length, "service")}`);
      await generate(project, schema.files, template, folder);
      const generated = join(folder, "out");
      const changes = compareFolders(generated, resolve(out));
      if (!isDryRun) copyChanges(generated, resolve(out), changes);
      progress.done(summary(schema.services, changes, out, isDryRun));
      print(schema.services, changes, flags.json ?? false);
    } catch (error) {
      progress.fail();
      throw error;
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
});

interface SyncedSchema {
  readonly services: readonly string[];
  readonly files: readonly FileDescriptorProto[];
}

function readSchema(
  target: Target,
  wanted: readonly string[],
  onProgress: (text: string) => void,
): Promise<SyncedSchema> {
  return withConnection(target, (connection) =>
    reportingErrors(connection, async () => {
      const schema = new RemoteSchema(connection.transport());
      try {
        const services =
          wanted.length > 0
            ? wanted
            : (await schema.listServices()).filter((name) => !INFRASTRUCTURE.test(name));
        if (services.length === 0) {
          throw new CliError("the server lists no services of its own", {
            hint: "name one with --service to sync grpc.health.v1.Health or the like",
          });
        }
        for (const [index, name] of services.entries()) {
          onProgress(`Reading ${name} (${index + 1} of ${services.length})`);
          await schema.service(name);
        }
        return { services, files: schema.files };
      } finally {
        await schema.close();
      }
    }),
  );
}

/** Runs buf on what the server sent, as if it were an image that buf had built. */
async function generate(
  project: Project,
  files: readonly FileDescriptorProto[],
  named: string | undefined,
  folder: string,
): Promise<void> {
  const image = join(folder, "image.binpb");
  const file = files.map((proto) => (isWellKnown(proto) ? asImport(proto) : proto));
  const set = create(FileDescriptorSetSchema, { file });
  writeFileSync(image, toBinary(FileDescriptorSetSchema, set));
  const template =
    named === undefined ? builtInTemplate(project) : chooseTemplate(project, resolve(named), ".");
  try {
    const args = ["generate", image, "--template", template.path, "-o", join(folder, "out")];
    await runBuf(project, args, "buf could not generate clients from the schema of the server");
  } finally {
    template.remove();
  }
}

function isWellKnown({ name }: FileDescriptorProto): boolean {
  return name.startsWith("google/protobuf/");
}

/** Marks a file as one to import, not to generate, in the extension field of buf's images. */
function asImport(proto: FileDescriptorProto): FileDescriptorProto {
  const isImport = { no: 8042, wireType: 2, data: new Uint8Array([2, 0x08, 1]) };
  return { ...proto, $unknown: [...(proto.$unknown ?? []), isImport] };
}

function summary(
  services: readonly string[],
  { added, changed, same }: FileChanges,
  out: string,
  isDryRun: boolean,
): string {
  const counts = `${added.length} new, ${changed.length} changed, ${same.length} unchanged`;
  const verb = isDryRun ? "would be written" : "written";
  return `Clients of ${count(services.length, "service")} ${verb} to ${out}: ${counts}`;
}

function print(services: readonly string[], changes: FileChanges, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ services, ...changes }, undefined, 2)}\n`);
    return;
  }
  const { green, yellow } = paint(process.stdout);
  for (const name of changes.added) process.stdout.write(`${green("new")}      ${name}\n`);
  for (const name of changes.changed) process.stdout.write(`${yellow("changed")}  ${name}\n`);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

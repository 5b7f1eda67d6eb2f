import { defineCliCommand } from "../command.ts";
import { generateCode, isSchemaFile } from "../project/generate-code.ts";
import { Project } from "../project/project.ts";
import { watchFiles } from "../project/watch-files.ts";
import { reportError } from "../report-error.ts";
import { untilInterrupted } from "../until-interrupted.ts";

export const generateCommand = defineCliCommand({
  description:
    "Generate code from the project's .proto files, with the buf and buf.gen.yaml of the project. Without a template: JavaScript with types.",
  examples: ["generate", "generate --watch"],
  args: {
    template: { type: "string", valueHint: "file", description: "Default: buf.gen.yaml" },
    out: {
      type: "string",
      valueHint: "dir",
      default: "gen",
      description: "Where to, when there is no template",
    },
    watch: { type: "boolean", description: "Generate again on every change" },
  },
  async run({ args }) {
    const project = Project.find();
    const generate = async () => {
      const { ms, template } = await generateCode(project, args.template, args.out);
      process.stdout.write(`generated with ${template} in ${ms} ms\n`);
    };
    if (!args.watch) return generate();
    const interrupted = untilInterrupted();
    // Watches first: a change that comes while code is generated counts.
    let working = Promise.resolve();
    const watcher = watchFiles(project.root, {
      isWanted: isSchemaFile,
      onChange: async (paths) => {
        await working;
        process.stdout.write(`${paths[0]} changed\n`);
        await generate().catch(reportError);
      },
    });
    working = generate().catch(reportError);
    await interrupted;
    watcher.close();
  },
});

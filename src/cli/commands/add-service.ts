import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CliError } from "../cli-error.ts";
import { defineCliCommand } from "../command.ts";
import { Project } from "../project/project.ts";
import { type Names, namesOf } from "../templates/names.ts";
import { type Files, serviceFiles } from "../templates/service-files.ts";
import { paint } from "../terminal.ts";

const INDEX = "src/services/index.ts";

export const addServiceCommand = defineCliCommand({
  description:
    "Add a service to a project made by connectum init: schema, handler and test, registered with the server.",
  examples: ["add service Orders"],
  args: {
    name: { type: "positional", required: true, description: "Name, such as Orders" },
    stream: { type: "boolean", description: "With a server-streaming method too" },
  },
  run({ args }) {
    const project = Project.find();
    const names = namesOf(args.name);
    const files = serviceFiles(names, {
      full: args.stream ?? false,
      // A project whose schemas have access rules denies what has none.
      auth: project.has("third_party/connectum/auth/v1/options.proto"),
    });
    const inTheWay = Object.keys(files).find((path) => project.has(path));
    if (inTheWay !== undefined) {
      throw new CliError(`${inTheWay} is there already`, { hint: "choose another name" });
    }
    const index = register(project, names);
    write(project.root, { ...files, [INDEX]: index });
    const { green, cyan } = paint(process.stdout);
    for (const path of Object.keys(files)) process.stdout.write(`${green("new")}      ${path}\n`);
    process.stdout.write(`changed  ${INDEX}\n\nTry it: ${cyan("npm test")}\n`);
  },
});

/** The module with all services, with this one added. */
function register(project: Project, names: Names): string {
  const path = project.path(INDEX);
  const advice = `add it by hand: services: [${names.camel}], from ./services/${names.kebab}.ts`;
  if (!existsSync(path)) {
    throw new CliError(`there is no ${INDEX} to register the service in`, { hint: advice });
  }
  const source = readFileSync(path, "utf8");
  const list = /export const services\s*=\s*\[([^\]]*)\]/.exec(source);
  if (!list) {
    throw new CliError(`${INDEX} has no "export const services = [...]"`, { hint: advice });
  }
  const items = (list[1] ?? "").split(",").map((item) => item.trim());
  const services = [...items.filter(Boolean), names.camel];
  const lastImport = [...source.matchAll(/^import .*;$/gm)].at(-1);
  const at = lastImport ? lastImport.index + lastImport[0].length + 1 : 0;
  const withList = source.replace(list[0], `export const services = [${services.join(", ")}]`);
  const line = `import { ${names.camel} } from "./${names.kebab}.ts";\n`;
  return withList.slice(0, at) + line + withList.slice(at);
}

function write(root: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

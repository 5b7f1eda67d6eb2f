import { defineCliCommand } from "../command.ts";
import { findEntry } from "../project/entry.ts";
import { type AccessRow, inspectServer } from "../project/inspect-server.ts";
import { Project } from "../project/project.ts";
import { columns, paint, textWidth } from "../terminal.ts";

export const authExplainCommand = defineCliCommand({
  description: "Show who may call each method of a server, and which rule says so.",
  examples: ["auth explain src/server.ts", "auth explain --json"],
  args: {
    entry: {
      type: "positional",
      required: false,
      description: "Module that exports buildServer(). Default: src/server.ts or the like",
    },
    json: { type: "boolean", description: "The table as JSON" },
  },
  async run({ args }) {
    const project = Project.find();
    const { access } = await inspectServer<{ access: readonly AccessRow[] }>(project, {
      kind: "access",
      entry: findEntry(project, args.entry),
    });
    if (args.json) {
      process.stdout.write(`${JSON.stringify(access, undefined, 2)}\n`);
      return;
    }
    process.stdout.write(`${table(access).join("\n")}\n`);
  },
});

function table(rows: readonly AccessRow[]): string[] {
  const { bold } = paint(process.stdout);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => names.map((name) => cell(row[name])));
  const [head = "", ...lines] = columns([names, ...cells], 0, textWidth(process.stdout));
  return [bold(head), ...lines];
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(cell).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Every README of the repository, as paths from its root. */
export function readmes(): string[] {
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    encoding: "utf8",
  });
  return files.split("\n").filter((file) => /(^|\/)README\.md$/.test(file));
}

export interface CodeBlock {
  /** File and line of its first line of code. */
  readonly name: string;
  readonly code: string;
}

export function codeBlocks(file: string, language: string): CodeBlock[] {
  const text = readFileSync(file, "utf8");
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm");
  return [...text.matchAll(fence)].map(({ 1: code = "", index }) => ({
    name: `${file}:${text.slice(0, index).split("\n").length + 1}`,
    code,
  }));
}

/** The text under a heading, up to the next heading of the same level. */
export function section(text: string, heading: string): string {
  const start = text.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const level = heading.slice(0, heading.indexOf(" ") + 1);
  const rest = text.slice(start + heading.length + 2);
  const end = rest.indexOf(`\n${level}`);
  return end < 0 ? rest : rest.slice(0, end);
}

/** The cells of every table row in the text, headers left out. */
export function tableRows(text: string): string[][] {
  const rows: string[][] = [];
  for (const line of text.split("\n")) {
    if (!line.startsWith("|")) continue;
    if (/^\|[\s:|-]+$/.test(line)) rows.pop();
    else
      rows.push(
        line
          .slice(1, line.lastIndexOf("|"))
          .split("|")
          .map((cell) => cell.trim()),
      );
  }
  return rows;
}

/** What stands in backticks or is linked to. */
export function named(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`|\]\(([^)]+)\)/g)].map(
    ([, code, link]) => (code ?? link) as string,
  );
}

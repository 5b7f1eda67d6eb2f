import ts from "typescript";

/** How many lines of a source hold code that can be changed: no imports, comments or blank lines. */
export function countCodeLines(source: string): number {
  const file = ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest, true);
  const lines = new Set<number>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isJSDoc(node)) return;
    const children = node.getChildren();
    if (children.length === 0 && node !== file.endOfFileToken) {
      lines.add(file.getLineAndCharacterOfPosition(node.getStart()).line);
    }
    for (const child of children) visit(child);
  };
  visit(file);
  return lines.size;
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. Throws when a marker is missing. */
export function replaceBetween(text: string, name: string, replacement: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const start = text.indexOf(open);
  const end = text.indexOf(close, start);
  if (start < 0 || end < 0) throw new Error(`the text has no ${open} followed by ${close}`);
  return `${text.slice(0, start + open.length)}\n${replacement}\n${text.slice(end)}`;
}

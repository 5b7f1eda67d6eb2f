// Changes the built package while it is loaded: resolveOptions() gets its options without the one that
// the environment names.

const entry = /function resolveOptions\((\w+)\) \{/;

export async function load(url, context, nextLoad) {
  const result = await nextLoad(url, context);
  if (!url.includes("/dist/") || !result.source) return result;
  const source = result.source.toString();
  if (!entry.test(source)) return result;
  const path = JSON.stringify(process.env.CONNECTUM_IGNORED_OPTION.split("."));
  const changed = source.replace(
    entry,
    (head, name) => `${head}
  {
    const [outer, inner] = ${path};
    ${name} = { ...${name} };
    if (inner === undefined) delete ${name}[outer];
    else if (${name}[outer]) {
      ${name}[outer] = { ...${name}[outer] };
      delete ${name}[outer][inner];
    }
  }`,
  );
  return { ...result, source: changed };
}

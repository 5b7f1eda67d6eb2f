// Changes the built package while it is loaded: the function that CONNECTUM_IGNORED_OPTION names (as in
// `createServer:tls.key`) gets its options without that one.

const [taker, path] = process.env.CONNECTUM_IGNORED_OPTION.split(":");
const head = new RegExp(`^(async )?function (${taker}\\d*)\\(`, "m");

export async function load(url, context, nextLoad) {
  const result = await nextLoad(url, context);
  if (!url.includes("/dist/") || !result.source) return result;
  const source = result.source.toString();
  if (!head.test(source)) return result;
  const changed = source.replace(
    head,
    (_, isAsync = "", name) => `
function ${name}(...args) {
  const without = (value, [key, ...rest]) => {
    if (Array.isArray(value) && key === "*") return value.map((each) => without(each, rest));
    if (!value || Object.getPrototypeOf(value) !== Object.prototype) return value;
    const copy = { ...value };
    for (const name of key === "*" ? Object.keys(copy) : [key]) {
      if (rest.length === 0) delete copy[name];
      else if (name in copy) copy[name] = without(copy[name], rest);
    }
    return copy;
  };
  return kept_${name}(...args.map((arg) => without(arg, ${JSON.stringify(path.split("."))})));
}
${isAsync}function kept_${name}(`,
  );
  return { ...result, source: changed };
}

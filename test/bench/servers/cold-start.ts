// Imports the app named in the arguments, makes it listen, and tells how long that took.
const startMs = performance.now();
const before = process.cpuUsage();
const { main } = await import(new URL(`./${process.argv[2]}.js`, import.meta.url).href);
await main();
const clockMs = performance.now() - startMs;
const { user, system } = process.cpuUsage(before);
process.send?.({ clockMs, cpuMs: (user + system) / 1000 }, () => process.exit(0));

import { shutdownProvider } from "connectum/otel";

/** Runs with these variables and no other `OTEL_*` ones; what was set up is shut down again. */
export async function withEnv<T>(env: Record<string, string>, run: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (name.startsWith("OTEL_")) delete process.env[name];
  }
  Object.assign(process.env, env);
  // Timers of the SDK keep no process alive, and so no test that waits for them.
  const alive = setInterval(() => {}, 60_000);
  try {
    return await run();
  } finally {
    clearInterval(alive);
    await shutdownProvider();
    for (const name of Object.keys(env)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

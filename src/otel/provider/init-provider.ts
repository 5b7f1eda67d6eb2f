import { ConnectumError } from "../../core/index.ts";
import type { ProviderOptions } from "./provider-options.ts";
import { type OtelProvider, type SetUp, setUpProvider } from "./set-up-provider.ts";

let current: SetUp | undefined;
let isStarting = false;
let stopping: Promise<void> | undefined;

/**
 * Reads the standard `OTEL_*` variables, sets up the SDK and registers it globally. Once per process,
 * until {@link shutdownProvider}. Without a word about exporters nothing is exported or registered.
 * Rejects INVALID_OPTION for a variable or option that cannot work, MISSING_PACKAGE for an exporter
 * that is not installed, INVALID_STATE the second time.
 */
export async function initProvider(options: ProviderOptions = {}): Promise<OtelProvider> {
  if (current || isStarting) {
    throw new ConnectumError(
      "INVALID_STATE",
      "initProvider() has run already; await shutdownProvider() before it runs again",
    );
  }
  isStarting = true;
  try {
    await stopping;
    current = await setUpProvider(options);
    return current.provider;
  } finally {
    isStarting = false;
  }
}

/** What `initProvider` has set up; undefined before it and after the shutdown. */
export function getProvider(): OtelProvider | undefined {
  return current?.provider;
}

/** Sends what is waiting and releases everything. Does nothing when nothing is set up. */
export function shutdownProvider(): Promise<void> {
  if (!current) return stopping ?? Promise.resolve();
  const { release } = current;
  current = undefined;
  stopping = release().finally(() => {
    stopping = undefined;
  });
  return stopping;
}

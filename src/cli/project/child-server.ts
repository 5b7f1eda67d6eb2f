import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import type { ListeningMessage } from "../children/dev-child.ts";
import { scriptPath } from "../own-package.ts";

export interface ChildServerOptions {
  readonly entry: string;
  readonly cwd: string;
  /** Arguments of Node before the entry. */
  readonly nodeArgs: readonly string[];
  /** How long a server may take to stop before it is killed, in milliseconds. */
  readonly stopTimeoutMs: number;
  /** Called when the process listens, each time. */
  readonly onListening: (address: ListeningMessage["listening"]) => void;
  /** Called when the process ends without being asked to. */
  readonly onExit: (code: number | null, signal: NodeJS.Signals | null) => void;
}

/**
 * The process of a server under development. It has a process group of its own, so that whatever it
 * starts ends with it, and ends by itself when this process vanishes.
 */
export class ChildServer {
  readonly #options: ChildServerOptions;
  #child: ChildProcess | undefined;
  #isStopping = false;

  constructor(options: ChildServerOptions) {
    this.#options = options;
  }

  start(): void {
    const { entry, cwd, nodeArgs, onListening, onExit } = this.#options;
    const preload = pathToFileURL(scriptPath("dev-child")).href;
    const child = spawn(
      process.execPath,
      ["--enable-source-maps", ...nodeArgs, "--import", preload, entry],
      { cwd, stdio: ["ignore", "inherit", "inherit", "ipc"], detached: canGroup },
    );
    this.#child = child;
    this.#isStopping = false;
    child.on("message", (message) => onListening((message as ListeningMessage).listening));
    child.once("exit", (code, signal) => {
      // What it started and left behind goes too.
      signalGroup(child, "SIGKILL");
      if (this.#child === child) this.#child = undefined;
      if (!this.#isStopping) onExit(code, signal);
    });
  }

  /** Asks the server to drain; kills it after the time limit. Resolves when it is gone. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#isStopping = true;
    const gone = once(child, "exit");
    const timer = setTimeout(() => signalGroup(child, "SIGKILL"), this.#options.stopTimeoutMs);
    child.kill("SIGTERM");
    await gone;
    clearTimeout(timer);
  }

  /** Kills at once. */
  kill(): void {
    if (this.#child) signalGroup(this.#child, "SIGKILL");
  }
}

/** Windows has no process groups. */
const canGroup = process.platform !== "win32";

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (canGroup && child.pid !== undefined) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // Gone already.
  }
}

import { spinner } from "@clack/prompts";
import { isInteractive } from "./terminal.ts";

/** One piece of work a person waits for. */
export interface Progress {
  readonly update: (text: string) => void;
  readonly done: (text: string) => void;
  readonly fail: () => void;
}

/** A spinner on a terminal; elsewhere one line on standard error when it is done. */
export function startProgress(text: string, isSilent = false): Progress {
  if (isSilent || !isInteractive()) {
    return {
      update() {},
      done: (end) => void (isSilent || process.stderr.write(`${end}\n`)),
      fail() {},
    };
  }
  const shown = spinner();
  shown.start(text);
  return {
    update: (next) => shown.message(next),
    done: (end) => shown.stop(end),
    fail: () => shown.stop(text, 2),
  };
}

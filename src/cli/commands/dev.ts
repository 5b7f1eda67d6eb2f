import { relative } from "node:path";
import { usageError } from "../cli-error.ts";
import { defineCliCommand } from "../command.ts";
import { ChildServer } from "../project/child-server.ts";
import { findEntry, loaderArgs } from "../project/entry.ts";
import { generateCode, isSchemaFile, outputFolders } from "../project/generate-code.ts";
import { Project } from "../project/project.ts";
import { listFiles, watchFiles } from "../project/watch-files.ts";
import { reportError } from "../report-error.ts";
import { paint } from "../terminal.ts";
import { untilInterrupted } from "../until-interrupted.ts";

const SOURCE = /\.([mc]?[jt]sx?|json)$/;

export const devCommand = defineCliCommand({
  description:
    "Run the service and restart it on every change. A change of the schema generates code first. Ctrl-C ends it all.",
  examples: ["dev", "dev src/server.ts"],
  args: {
    entry: {
      type: "positional",
      required: false,
      description: "Module that starts the server. Default: src/server.ts or the like",
    },
    "stop-timeout-ms": {
      type: "string",
      valueHint: "ms",
      default: "5000",
      description: "How long the server may drain before it is killed",
    },
  },
  async run({ args }) {
    const stopTimeoutMs = Number(args["stop-timeout-ms"]);
    if (!Number.isInteger(stopTimeoutMs) || stopTimeoutMs < 0) {
      throw usageError(
        `--stop-timeout-ms must be a whole number of milliseconds, got "${args["stop-timeout-ms"]}"`,
      );
    }
    const project = Project.find();
    const entry = findEntry(project, args.entry);
    await new DevSession(project, entry, stopTimeoutMs).run();
  },
});

class DevSession {
  readonly #project: Project;
  readonly #entry: string;
  readonly #server: ChildServer;
  /** Since when somebody waits for the server, and why. */
  #waiting: { readonly since: number; readonly reason: string } | undefined;

  constructor(project: Project, entry: string, stopTimeoutMs: number) {
    this.#project = project;
    this.#entry = entry;
    this.#server = new ChildServer({
      entry,
      cwd: project.root,
      nodeArgs: loaderArgs(project, entry),
      stopTimeoutMs,
      onListening: (address) => this.#onListening(address),
      onExit: (code, signal) => this.#onExit(code, signal),
    });
  }

  async run(): Promise<void> {
    const interrupted = untilInterrupted();
    // Whatever ends this process, the server goes with it.
    process.once("exit", () => this.#server.kill());
    // Watches first: a change that comes while the server starts counts.
    const watcher = watchFiles(this.#project.root, {
      isWanted: (path) => SOURCE.test(path) || isSchemaFile(path),
      ignore: outputFolders(this.#project),
      onChange: async (paths) => {
        await starting;
        await this.#onChange(paths);
      },
    });
    const starting = this.#start();
    await starting;
    await interrupted;
    watcher.close();
    process.once("SIGINT", () => this.#server.kill());
    await this.#server.stop();
  }

  async #start(): Promise<void> {
    this.#waiting = { since: performance.now(), reason: "started" };
    if (this.#hasSchema()) await this.#generate();
    this.#server.start();
  }

  async #onChange(paths: readonly string[]): Promise<void> {
    const [first = ""] = paths;
    const more = paths.length > 1 ? ` and ${paths.length - 1} more` : "";
    this.#waiting = { since: performance.now(), reason: `${first}${more} changed` };
    // A schema that does not compile leaves the server as it is.
    if (paths.some(isSchemaFile) && !(await this.#generate())) return;
    await this.#server.stop();
    this.#server.start();
  }

  async #generate(): Promise<boolean> {
    try {
      const { ms } = await generateCode(this.#project);
      this.#say(`generated code in ${ms} ms`);
      return true;
    } catch (error) {
      reportError(error);
      return false;
    }
  }

  #hasSchema(): boolean {
    return listFiles(this.#project.root).some((path) => path.endsWith(".proto"));
  }

  #onListening(address: { readonly port: number } | string | null): void {
    const { since, reason } = this.#waiting ?? {};
    this.#waiting = undefined;
    if (since === undefined) return;
    const where = typeof address === "object" ? `port ${address?.port}` : address;
    this.#say(`${reason}: listens on ${where} after ${Math.round(performance.now() - since)} ms`);
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
    const name = relative(process.cwd(), this.#entry);
    this.#say(`${name} ${how}; waiting for a change`);
  }

  #say(text: string): void {
    const { dim, cyan } = paint(process.stdout);
    process.stdout.write(`${cyan("dev")} ${dim(new Date().toTimeString().slice(0, 8))} ${text}\n`);
  }
}

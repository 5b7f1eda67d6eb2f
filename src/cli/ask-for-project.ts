import { basename, resolve } from "node:path";
import { cancel, intro, isCancel, outro, select, text } from "@clack/prompts";
import { CliError, ExitCode, messageOf } from "./cli-error.ts";
import { checkPackageName, namesOf } from "./templates/names.ts";

export interface ProjectAnswers {
  readonly dir: string;
  readonly name: string | undefined;
  readonly template: string | undefined;
}

interface Given {
  readonly dir?: string | undefined;
  readonly name?: string | undefined;
  readonly template?: string | undefined;
}

/** Asks a person for what the command line does not say. */
export async function askForProject(given: Given): Promise<ProjectAnswers> {
  intro("connectum: a new service");
  const dir =
    given.dir ??
    (await answer(
      text({
        message: "Which folder?",
        placeholder: "shop",
        defaultValue: "shop",
        validate: (value) =>
          value === "" ? undefined : complaint(() => namesOf(basename(resolve(value)))),
      }),
    ));
  const suggested = basename(resolve(dir)).toLowerCase();
  const name =
    given.name ??
    (await answer(
      text({
        message: "What is the package called?",
        placeholder: suggested,
        defaultValue: suggested,
        validate: (value) =>
          value === ""
            ? undefined
            : complaint(() => {
                checkPackageName(value);
                namesOf(value);
              }),
      }),
    ));
  const template =
    given.template ??
    (await answer(
      select({
        message: "How much of it?",
        options: [
          { value: "minimal", label: "minimal", hint: "one unary method" },
          { value: "full", label: "full", hint: "streams, logs and access rules too" },
        ],
      }),
    ));
  outro(`A ${template} service called ${name}.`);
  return { dir, name, template };
}

async function answer<T>(asked: Promise<T | symbol>): Promise<T> {
  const value = await asked;
  if (!isCancel(value)) return value as T;
  cancel("Nothing was written.");
  throw new CliError("cancelled", { exitCode: ExitCode.INTERRUPTED });
}

function complaint(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

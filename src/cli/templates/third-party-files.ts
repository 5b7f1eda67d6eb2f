import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { packageRoot } from "../own-package.ts";
import { printFile } from "../print-proto/print-file.ts";
import type { Files } from "./service-files.ts";

const AUTH_OPTIONS = "connectum/auth/v1/options.proto";

/** Schemas of others, so that buf needs no network: from the packages that are installed. */
export async function thirdPartyFiles({ auth }: { auth: boolean }): Promise<Files> {
  const validate = file_buf_validate_validate;
  const files: Files = {
    [`third_party/${validate.proto.name}`]: `// Made from the descriptor in @bufbuild/protovalidate; its documentation is on protovalidate.com.\n${printFile(validate)}`,
  };
  const options = join(packageRoot, "proto", AUTH_OPTIONS);
  if (auth && existsSync(options)) {
    files[`third_party/${AUTH_OPTIONS}`] = readFileSync(options, "utf8");
  }
  return files;
}

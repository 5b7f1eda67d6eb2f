import { ConnectumError } from "../errors.ts";

/** A client was asked for a service that is neither mounted nor resolvable: the topology is wrong. */
export class CatalogConfigError extends ConnectumError {
  override readonly name = "CatalogConfigError";

  constructor(typeName: string) {
    super(
      "CATALOG_CONFIG",
      `${typeName} is not mounted on this server and there is no remoteResolver; ` +
        "mount it, or pass createServer({ remoteResolver })",
    );
  }
}

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RemoteResolver } from "../../core/index.ts";

export interface ResolverSuiteOptions {
  /** Type names the resolver must find a transport for. */
  readonly known: readonly string[];
  /** Type names it must answer null for. Default one that cannot exist. */
  readonly unknown?: readonly string[];
}

/** Registers tests that a resolver of your own keeps the contract of `remoteResolver`. */
export function resolverSuite(
  name: string,
  resolver: RemoteResolver,
  { known, unknown = ["connectum.nowhere.v1.NoSuchService"] }: ResolverSuiteOptions,
): void {
  describe(`resolver ${name}`, () => {
    for (const typeName of known) {
      test(`finds ${typeName} at once, as a transport`, () => {
        const transport = resolver({ typeName });
        assert.ok(transport, `null for ${typeName}`);
        assert.ok(!("then" in transport), "a promise: resolvers are synchronous and do no I/O");
        assert.equal(typeof transport.unary, "function");
        assert.equal(typeof transport.stream, "function");
      });
    }
    for (const typeName of unknown) {
      test(`answers null for ${typeName}`, () => {
        assert.equal(resolver({ typeName }), null);
      });
    }
  });
}

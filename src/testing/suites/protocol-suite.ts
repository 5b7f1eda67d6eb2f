import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type CreateServerOptions,
  createServer,
  type ProtocolRegistration,
  ServerState,
} from "../../core/index.ts";
import { withTestServer } from "../test-server.ts";

export interface ProtocolSuiteOptions extends Pick<CreateServerOptions, "services"> {
  /** HTTP paths that the protocol must answer with something other than 404. Default none. */
  readonly paths?: readonly string[];
}

/** Registers tests that a protocol of your own behaves as a server needs it to. */
export function protocolSuite(
  name: string,
  createProtocol: () => ProtocolRegistration,
  options: ProtocolSuiteOptions = { services: [] },
): void {
  const { services, paths = [] } = options;
  const serverOptions = () => ({ services, protocols: [createProtocol()] });

  describe(`protocol ${name}`, () => {
    test("has a name, and a server refuses two of it", () => {
      assert.notEqual(createProtocol().name.trim(), "", "the name is empty");
      const server = createServer({ services, protocols: [createProtocol(), createProtocol()] });
      assert.throws(() => freeze(server), { code: "DUPLICATE_PROTOCOL" });
    });

    test("registers once, whatever doors are used", async () => {
      let registrations = 0;
      const protocol = createProtocol();
      const counted: ProtocolRegistration = {
        ...protocol,
        register(router, context) {
          registrations++;
          protocol.register(router, context);
        },
      };
      await withTestServer({ services, protocols: [counted] }, ({ server }) => freeze(server));
      assert.equal(registrations, 1);
    });

    test("leaves alone what is not its own: an unknown path is 404", async () => {
      await withTestServer(serverOptions(), async ({ baseUrl }) => {
        const { status } = await fetch(`${baseUrl}/connectum/no-such-path`);
        assert.equal(status, 404);
      });
    });

    for (const path of paths) {
      test(`answers ${path}`, async () => {
        await withTestServer(serverOptions(), async ({ baseUrl }) => {
          const { status } = await fetch(baseUrl + path);
          assert.notEqual(status, 404);
          assert.ok(status < 500, `status ${status}`);
        });
      });
    }

    test("lets the server stop, with no error reported", async () => {
      const errors: unknown[] = [];
      await withTestServer(serverOptions(), async ({ server, close }) => {
        server.on("error", (error: unknown) => errors.push(error));
        await close();
        assert.equal(server.state, ServerState.STOPPED);
      });
      assert.deepEqual(errors, []);
    });
  });
}

/** Routes freeze at the first question about them. */
function freeze(server: ReturnType<typeof createServer>): void {
  server.hasService({ typeName: "connectum.NoSuchService" } as never);
}

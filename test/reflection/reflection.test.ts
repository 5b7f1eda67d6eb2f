import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createServer, type ProtocolContext, type ProtocolRegistration } from "connectum/core";
import { Reflection, type ReflectionOptions } from "connectum/reflection";
import { createTestServer } from "connectum/testing";
import { AuditService } from "../gen/connectum/test/v1/catalog_pb.js";
import { OtherService } from "../gen/connectum/test/v1/other_pb.js";
import { createTransport, grid } from "../support/transports.ts";
import { catalog } from "./catalog.ts";
import { ask, brief, listServices, versions } from "./conversation.ts";

const AUDIT = "connectum.test.v1.AuditService";
const CATALOG = "connectum.test.v1.CatalogService";
const OTHER = "connectum.test.v1.OtherService";
const V1 = "grpc.reflection.v1.ServerReflection";
const V1ALPHA = "grpc.reflection.v1alpha.ServerReflection";

/** A protocol that mounts a service of its own. */
const other: ProtocolRegistration = {
  name: "other",
  register: (router) => void router.service(OtherService, {}),
};

async function reflect(t: TestContext, options?: ReflectionOptions) {
  const { baseUrl } = await createTestServer({
    t,
    services: catalog,
    protocols: [Reflection(options), other],
  });
  return createTransport("gRPC h2", baseUrl);
}

describe("Reflection", () => {
  for (const [version, service] of Object.entries(versions)) {
    for (const name of grid.filter((name) => name.endsWith("h2"))) {
      test(`${version} answers over ${name}`, async (t) => {
        const { baseUrl } = await createTestServer({
          t,
          services: catalog,
          protocols: [Reflection()],
        });
        const transport = createTransport(name, baseUrl);
        assert.deepEqual(await listServices(transport, service), [AUDIT, CATALOG, V1, V1ALPHA]);
      });
    }
  }

  for (const [order, protocols] of [
    ["first", [Reflection(), other]],
    ["last", [other, Reflection()]],
  ] as const) {
    test(`lists the services of other protocols when registered ${order}`, async (t) => {
      const { baseUrl } = await createTestServer({ t, services: catalog, protocols });
      const services = await listServices(createTransport("gRPC h2", baseUrl));
      assert.deepEqual(services, [AUDIT, CATALOG, OTHER, V1, V1ALPHA]);
    });
  }

  test("one registration serves several servers, each its own services", async (t) => {
    const protocols = [Reflection()];
    const one = await createTestServer({ t, services: catalog, protocols });
    const two = await createTestServer({ t, protocols });
    await listServices(createTransport("gRPC h2", one.baseUrl));
    const services = await listServices(createTransport("gRPC h2", two.baseUrl));
    assert.deepEqual(services, [V1, V1ALPHA]);
  });

  test("echoes host and request", async (t) => {
    const transport = await reflect(t);
    const [response] = await ask(transport, [{ case: "listServices", value: "*" }]);
    assert.equal(response?.validHost, "test.example");
    assert.equal(response?.originalRequest?.host, "test.example");
    const { case: kind, value } = response?.originalRequest?.messageRequest ?? {};
    assert.deepEqual([kind, value], ["listServices", "*"]);
  });

  test("answers what is unknown in band, and the stream goes on", async (t) => {
    const responses = await ask(await reflect(t), [
      { case: "fileByFilename", value: "nope.proto" },
      { case: "fileContainingSymbol", value: "no.Such" },
      { case: "fileContainingSymbol", value: "" },
      {
        case: "fileContainingExtension",
        value: { containingType: "connectum.test.v1.Legacy", extensionNumber: 199 },
      },
      { case: "allExtensionNumbersOfType", value: "no.Such" },
      { case: "allExtensionNumbersOfType", value: "connectum.test.v1.Color" },
      { case: undefined },
      { case: "listServices", value: "" },
    ]);
    assert.deepEqual(responses.map(brief), [
      "error 5: file nope.proto not found",
      "error 5: symbol no.Such not found",
      "error 5: symbol  not found",
      "error 5: extension 199 of connectum.test.v1.Legacy not found",
      "error 5: message no.Such not found",
      "error 5: message connectum.test.v1.Color not found",
      "error 12: the request asks nothing this server knows to answer",
      "listServicesResponse",
    ]);
  });
});

describe("Reflection options", () => {
  test("services narrows the list, by descriptor or name, and what can be looked up", async (t) => {
    const transport = await reflect(t, { services: [AuditService, V1] });
    assert.deepEqual(await listServices(transport), [AUDIT, V1]);
    const responses = await ask(transport, [
      { case: "fileContainingSymbol", value: OTHER },
      { case: "fileByFilename", value: "connectum/test/v1/other.proto" },
      { case: "fileContainingSymbol", value: "connectum.test.v1.OtherRequest" },
    ]);
    for (const response of responses) assert.match(String(brief(response)), /^error 5/);
  });

  test("exclude hides services, also from services", async (t) => {
    const transport = await reflect(t, {
      services: [AUDIT, OTHER, V1],
      exclude: [OtherService, V1],
    });
    assert.deepEqual(await listServices(transport), [AUDIT]);
  });

  test("an excluded service has no name, while the file it shares goes out whole", async (t) => {
    const transport = await reflect(t, { exclude: [CATALOG] });
    const responses = await ask(transport, [
      { case: "fileContainingSymbol", value: CATALOG },
      { case: "fileContainingSymbol", value: `${CATALOG}.GetItem` },
      { case: "fileContainingSymbol", value: AUDIT },
    ]);
    const [hidden, method, shown] = responses.map(brief);
    assert.equal(hidden, `error 5: symbol ${CATALOG} not found`);
    assert.equal(method, `error 5: symbol ${CATALOG}.GetItem not found`);
    assert.equal(shown?.[0], "connectum/test/v1/catalog.proto");
  });

  test("services: [] shows nothing", async (t) => {
    assert.deepEqual(await listServices(await reflect(t, { services: [] })), []);
  });

  for (const option of ["services", "exclude"] as const) {
    test(`a name in ${option} that is not mounted makes start() reject, naming the nearest one`, async () => {
      const server = createServer({
        services: catalog,
        port: 0,
        host: "127.0.0.1",
        protocols: [Reflection({ [option]: ["connectum.test.v1.CatalogServise"] })],
      });
      await assert.rejects(server.start(), {
        code: "UNKNOWN_SERVICE",
        message: /CatalogServise.*did you mean "connectum.test.v1.CatalogService"/,
      });
    });
  }

  test("enabled: false mounts nothing", async (t) => {
    const transport = await reflect(t, { enabled: false });
    await assert.rejects(listServices(transport), { code: 12 });
  });

  test("enabled is asked with the context, once for each server", async (t) => {
    const contexts: ProtocolContext[] = [];
    const options = (answer: boolean) => ({
      enabled: (context: ProtocolContext) => {
        contexts.push(context);
        return answer;
      },
    });
    await assert.rejects(listServices(await reflect(t, options(false))), { code: 12 });
    assert.equal((await listServices(await reflect(t, options(true)))).length, 5);
    assert.equal(contexts.length, 2);
    assert.ok(contexts[0]?.shutdownSignal instanceof AbortSignal);
  });

  test("enabled that is no boolean is refused, so that a promise or text does not enable", async () => {
    assert.throws(() => Reflection({ enabled: "false" } as unknown as ReflectionOptions), {
      code: "INVALID_OPTION",
    });
    const enabled = (async () => false) as unknown as () => boolean;
    await using server = createServer({ services: [], protocols: [Reflection({ enabled })] });
    server.on("error", () => {});
    await assert.rejects(server.start(), {
      code: "INVALID_OPTION",
      message: "enabled must be true, false or a function that returns one of them, got an object",
    });
  });

  test("names that are no list are refused", () => {
    for (const key of ["services", "exclude"]) {
      assert.throws(() => Reflection({ [key]: AUDIT } as ReflectionOptions), {
        code: "INVALID_OPTION",
        message: new RegExp(`^${key} must be an array, got "`),
      });
    }
  });

  test("an unknown option throws at once", () => {
    assert.throws(() => Reflection({ exlude: [AUDIT] } as ReflectionOptions), {
      code: "INVALID_OPTION",
      message: 'Reflection() has no option "exlude"; did you mean "exclude"?',
    });
  });
});

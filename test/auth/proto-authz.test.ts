import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  create,
  createFileRegistry,
  type DescService,
  getExtension,
  setExtension,
} from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_descriptor,
  MethodOptionsSchema,
  ServiceOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import {
  createAuthInterceptor,
  createInternalAuthInterceptor,
  createJwtAuthInterceptor,
  createProtoAuthzInterceptor,
  explainAuthz,
  getInternalMethods,
  getPublicMethods,
  type ProtoAuthzOptions,
  resolveMethodAuth,
  sharedSecretTrust,
} from "connectum/auth";
import {
  file_connectum_auth_v1_options,
  MethodAuthSchema,
  method_auth,
  ServiceAuthSchema,
  service_auth,
} from "connectum/auth/proto";
import { createLocalTransport, createServer } from "connectum/core";
import { createMethodFilterInterceptor } from "connectum/interceptors";
import {
  BackOfficeService,
  GuardedService,
  MembersService,
  OpenService,
} from "./gen/guarded/v1/guarded_pb.js";

const services = [GuardedService, OpenService, MembersService, BackOfficeService];
const INTERNAL = "orders-".repeat(6);

function buildServer(options: ProtoAuthzOptions = {}, outer: Interceptor[] = []) {
  const implementations = services.map((service) => (router: Parameters<typeof mount>[0]) => {
    mount(router, service);
  });
  return createServer({
    services: implementations as never,
    interceptors: [...outer, createProtoAuthzInterceptor(options)],
  });
}

function mount(router: { service(desc: DescService, impl: object): unknown }, desc: DescService) {
  router.service(
    desc,
    Object.fromEntries(desc.methods.map(({ localName }) => [localName, () => ({})])),
  );
}

/** `user`, `service` or nobody, by how the call is made. */
const authenticators = [
  createInternalAuthInterceptor({
    trustSource: sharedSecretTrust({ secrets: { orders: INTERNAL } }),
    internalMethods: ["guarded.v1.*"],
  }),
];

const user = (token: string) => {
  const [roles = "", scopes = ""] = token.split(":");
  const list = (text: string) => text.split(",").filter(Boolean);
  return { subject: "ada", roles: list(roles), scopes: list(scopes) };
};

async function outcome(
  service: DescService,
  method: string,
  caller: "nobody" | "service" | { token: string },
  options?: ProtoAuthzOptions,
): Promise<string> {
  const outer: Interceptor[] = [];
  const headers: Record<string, string> = {};
  if (caller === "service") {
    outer.push(...authenticators);
    headers["x-internal-secret"] = INTERNAL;
  } else if (caller !== "nobody") {
    outer.push(createAuthInterceptor({ verifyCredentials: user }));
    headers.authorization = `Bearer ${caller.token}`;
  }
  const transport = createLocalTransport(buildServer(options, outer));
  const client = createClient(service, transport) as Record<
    string,
    (r: object, o: object) => unknown
  >;
  try {
    await client[method]?.({}, { headers });
    return "ok";
  } catch (error) {
    return ConnectError.from(error).message;
  }
}

const DENIED = "[permission_denied] Access denied";
const ANONYMOUS = "[unauthenticated] Authentication required";
const plain = { token: ":" };
const admin = { token: "admin:pay,write" };

describe("createProtoAuthzInterceptor", () => {
  const table: Array<
    [DescService, string, Record<"nobody" | "user" | "admin" | "service", string>]
  > = [
    [GuardedService, "silent", { nobody: ANONYMOUS, user: DENIED, admin: DENIED, service: DENIED }],
    [GuardedService, "open", { nobody: "ok", user: "ok", admin: "ok", service: "ok" }],
    [GuardedService, "anyIdentity", { nobody: ANONYMOUS, user: "ok", admin: "ok", service: "ok" }],
    [
      GuardedService,
      "adminsOnly",
      { nobody: ANONYMOUS, user: DENIED, admin: "ok", service: DENIED },
    ],
    [GuardedService, "pay", { nobody: ANONYMOUS, user: DENIED, admin: "ok", service: DENIED }],
    [GuardedService, "allowed", { nobody: "ok", user: "ok", admin: "ok", service: "ok" }],
    [GuardedService, "shut", { nobody: DENIED, user: DENIED, admin: DENIED, service: DENIED }],
    [GuardedService, "internal", { nobody: ANONYMOUS, user: DENIED, admin: DENIED, service: "ok" }],
    [
      GuardedService,
      "internalWriters",
      { nobody: ANONYMOUS, user: DENIED, admin: DENIED, service: DENIED },
    ],
    [OpenService, "inherits", { nobody: "ok", user: "ok", admin: "ok", service: "ok" }],
    [
      OpenService,
      "closedAgain",
      { nobody: ANONYMOUS, user: DENIED, admin: DENIED, service: DENIED },
    ],
    [OpenService, "requires", { nobody: ANONYMOUS, user: DENIED, admin: "ok", service: DENIED }],
    [OpenService, "shut", { nobody: DENIED, user: DENIED, admin: DENIED, service: DENIED }],
    [OpenService, "internal", { nobody: ANONYMOUS, user: DENIED, admin: DENIED, service: "ok" }],
    [
      MembersService,
      "inherits",
      { nobody: ANONYMOUS, user: DENIED, admin: DENIED, service: DENIED },
    ],
    [MembersService, "open", { nobody: "ok", user: "ok", admin: "ok", service: "ok" }],
    [
      MembersService,
      "requires",
      { nobody: ANONYMOUS, user: DENIED, admin: DENIED, service: DENIED },
    ],
    [MembersService, "shut", { nobody: DENIED, user: DENIED, admin: DENIED, service: DENIED }],
    [
      BackOfficeService,
      "inherits",
      { nobody: ANONYMOUS, user: DENIED, admin: DENIED, service: "ok" },
    ],
    [
      BackOfficeService,
      "ambiguous",
      { nobody: ANONYMOUS, user: DENIED, admin: DENIED, service: "ok" },
    ],
    [BackOfficeService, "open", { nobody: "ok", user: "ok", admin: "ok", service: "ok" }],
  ];
  for (const [service, method, expected] of table) {
    test(`${service.name}/${method}`, async () => {
      assert.equal(await outcome(service, method, "nobody"), expected.nobody, "nobody");
      assert.equal(await outcome(service, method, plain), expected.user, "user");
      assert.equal(await outcome(service, method, admin), expected.admin, "admin");
      assert.equal(await outcome(service, method, "service"), expected.service, "service");
    });
  }

  test("a method's requires replaces the inherited ones and does not add to them", async () => {
    assert.equal(await outcome(MembersService, "requires", { token: ":audit" }), "ok");
    assert.equal(await outcome(MembersService, "requires", { token: "user:" }), DENIED);
    assert.equal(await outcome(MembersService, "shut", { token: "user:audit" }), DENIED);
  });

  test("an identity of an end user never becomes internal by what it says of itself", async () => {
    const claim = createAuthInterceptor({
      verifyCredentials: () => ({
        subject: "orders",
        type: "internal",
        roles: ["internal"],
        claims: { internal: true, isInternal: true },
      }),
    });
    const server = buildServer({}, [claim]);
    const client = createClient(GuardedService, createLocalTransport(server));
    await assert.rejects(client.internal({}, { headers: { authorization: "Bearer x" } }), {
      message: DENIED,
    });
  });

  test("rules, authorize and the default policy decide only where the proto is silent", async () => {
    const rule = { name: "all", methods: ["*"], effect: "allow" } as const;
    for (const options of [
      { rules: [rule] },
      { authorize: () => true },
      { defaultPolicy: "allow" },
    ] as const) {
      assert.equal(await outcome(GuardedService, "silent", plain, options), "ok");
      assert.equal(await outcome(GuardedService, "adminsOnly", plain, options), DENIED);
      assert.equal(await outcome(GuardedService, "shut", admin, options), DENIED);
      assert.equal(await outcome(GuardedService, "internal", admin, options), DENIED);
      assert.equal(await outcome(OpenService, "requires", plain, options), DENIED);
    }
    const unmet = { ...rule, requires: { roles: ["boss"] } };
    const options = { rules: [unmet], defaultPolicy: "allow" } as const;
    assert.equal(await outcome(GuardedService, "silent", admin, options), DENIED);
    const shut = { ...rule, effect: "deny" } as const;
    assert.equal(await outcome(GuardedService, "silent", admin, { rules: [shut] }), DENIED);
  });

  test("getPublicMethods, getInternalMethods and resolveMethodAuth say the same", () => {
    assert.deepEqual(getPublicMethods(services), [
      "guarded.v1.GuardedService/Open",
      "guarded.v1.OpenService/Inherits",
      "guarded.v1.MembersService/Open",
      "guarded.v1.BackOfficeService/Open",
    ]);
    assert.deepEqual(getInternalMethods(services), [
      "guarded.v1.GuardedService/Internal",
      "guarded.v1.GuardedService/InternalWriters",
      "guarded.v1.OpenService/Internal",
      "guarded.v1.BackOfficeService/Inherits",
      "guarded.v1.BackOfficeService/Ambiguous",
    ]);
    assert.deepEqual(resolveMethodAuth(MembersService.method.inherits), {
      public: false,
      internal: false,
      requires: { roles: ["user"], scopes: [] },
      policy: "deny",
    });
    assert.deepEqual(resolveMethodAuth(MembersService.method.shut), {
      public: false,
      internal: false,
      policy: "deny",
    });
  });

  test("connectum/auth/proto has the extensions of the shipped file", () => {
    assert.equal(method_auth.number, 50100);
    assert.equal(service_auth.number, 50101);
    assert.equal(file_connectum_auth_v1_options.name, "connectum/auth/v1/options");
    const { options } = GuardedService.method.adminsOnly.proto;
    assert.ok(options);
    assert.deepEqual(getExtension(options, method_auth).requires?.roles, ["admin", "owner"]);
  });
});

describe("options that contradict each other", () => {
  const wrong: Array<[string, object, object | undefined, RegExp]> = [
    [
      "public and internal",
      { public: true, internal: true },
      undefined,
      /: method_auth says public together with internal; remove one of them$/,
    ],
    [
      "public and requires",
      { public: true, requires: {} },
      undefined,
      /: method_auth says public together with requires; remove one of them$/,
    ],
    [
      "public and internal of a service",
      {},
      { public: true, internal: true },
      /: service_auth says public together with internal; remove one of them$/,
    ],
    ["public and requires of a service", {}, { public: true, defaultRequires: {} }, /service_auth/],
    ["an unknown policy", { policy: "Allow" }, undefined, /policy must be .* got "Allow"/],
    ["an empty policy", { policy: "" }, undefined, /got ""/],
    ["an unknown policy of a service", {}, { defaultPolicy: "none" }, /got "none"/],
  ];
  for (const [name, method, service, message] of wrong) {
    test(`${name}: start() rejects and names the method`, async () => {
      const desc = describeService(method, service);
      const server = createServer({
        services: [(router) => void router.service(desc, {})],
        port: 0,
        interceptors: [createProtoAuthzInterceptor()],
      });
      await assert.rejects(server.start(), (error: Error & { code: string }) => {
        assert.equal(error.code, "INVALID_OPTION");
        assert.match(error.message, /^odd\.v1\.OddService\/Do: /);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

test("options that contradict each other do not matter to a method that is skipped", async (t) => {
  const desc = describeService({ public: true, internal: true });
  const server = createServer({
    services: [(router) => void router.service(desc, {})],
    port: 0,
    interceptors: [createProtoAuthzInterceptor({ skipMethods: ["odd.v1.*"] })],
  });
  await server.start();
  t.after(() => server.stop());
});

/** A service with one method and options no file of ours should have. */
function describeService(methodOptions: object, serviceOptions?: object): DescService {
  const options = create(MethodOptionsSchema);
  setExtension(options, method_auth, create(MethodAuthSchema, methodOptions));
  const ofService = create(ServiceOptionsSchema);
  if (serviceOptions) {
    const value = create(ServiceAuthSchema, serviceOptions);
    setExtension(ofService, service_auth, value);
  }
  const file = create(FileDescriptorProtoSchema, {
    name: "odd/v1/odd.proto",
    package: "odd.v1",
    syntax: "proto3",
    messageType: [{ name: "Nothing" }],
    service: [
      {
        name: "OddService",
        options: ofService,
        method: [
          { name: "Do", inputType: ".odd.v1.Nothing", outputType: ".odd.v1.Nothing", options },
        ],
      },
    ],
  });
  const set = create(FileDescriptorSetSchema, {
    file: [file_google_protobuf_descriptor.proto, file_connectum_auth_v1_options.proto, file],
  });
  return createFileRegistry(set).getService("odd.v1.OddService") as DescService;
}

describe("explainAuthz", () => {
  const jwt = createJwtAuthInterceptor({
    secret: "x".repeat(32),
    skipMethods: [...getPublicMethods(services), ...getInternalMethods(services)],
  });
  const rows = (server: ReturnType<typeof buildServer>) =>
    new Map(explainAuthz(server).map((row) => [row.method.replace("guarded.v1.", ""), row]));

  test("says for each method who may call, why, and who checks it", () => {
    const rule = {
      name: "auditors",
      methods: ["guarded.v1.GuardedService/Silent"],
      effect: "allow",
      requires: { roles: ["auditor"], scopes: ["read"] },
    } as const;
    const table = rows(buildServer({ rules: [rule] }, [jwt, ...authenticators]));
    assert.equal(table.size, 21);
    const cells = (name: string) => {
      const row = table.get(name);
      return [row?.access, row?.who, row?.why, row?.authenticatedBy.join()];
    };
    assert.deepEqual(cells("GuardedService/Silent"), [
      "requirements",
      "role auditor and scope read",
      'rule "auditors"',
      "jwt,internal",
    ]);
    assert.deepEqual(cells("GuardedService/AdminsOnly"), [
      "requirements",
      "role admin or owner",
      "proto: requires",
      "jwt,internal",
    ]);
    assert.deepEqual(cells("GuardedService/Shut"), [
      "nobody",
      "nobody",
      "proto: policy",
      "jwt,internal",
    ]);
    assert.deepEqual(cells("GuardedService/InternalWriters"), [
      "internal",
      "internal services with scope write",
      "proto: internal and requires",
      "internal",
    ]);
    assert.equal(cells("OpenService/ClosedAgain")[2], "defaultPolicy");
  });

  test("sees through a method filter, and says when nothing is mounted", () => {
    const filtered = createServer({
      services: [(router) => void mount(router as never, GuardedService)],
      interceptors: [
        createMethodFilterInterceptor({ "*": jwt, "guarded.v1.*": createProtoAuthzInterceptor() }),
      ],
    });
    assert.equal(
      rows(filtered).get("GuardedService/Pay")?.who,
      "role admin and scope pay and write",
    );
    const bare = createServer({
      services: [(router) => void mount(router as never, GuardedService)],
    });
    const row = rows(bare).get("GuardedService/Pay");
    assert.deepEqual([row?.access, row?.why], ["anybody", "no authorization is mounted"]);
  });
});

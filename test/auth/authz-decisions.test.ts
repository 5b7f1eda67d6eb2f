import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import {
  type AuthzDecision,
  type AuthzOptions,
  type AuthzRule,
  createAuthInterceptor,
  createAuthzInterceptor,
  createInternalAuthInterceptor,
  createProtoAuthzInterceptor,
  explainAuthz,
  type InternalTrust,
  type ProtoAuthzOptions,
  resolveMethodAuth,
} from "connectum/auth";
import { type CreateServerOptions, createLocalTransport, createServer } from "connectum/core";
import {
  BackOfficeService,
  GuardedService,
  MembersService,
  OpenService,
} from "./gen/guarded/v1/guarded_pb.js";

type Method = keyof typeof GuardedService.method;
type Caller = "nobody" | "service" | { readonly roles?: string[]; readonly scopes?: string[] };

const user: Caller = {};
const DENIED = "[permission_denied] Access denied";
const ANONYMOUS = "[unauthenticated] Authentication required";

function authenticatorOf(caller: Caller): Interceptor[] {
  if (caller === "nobody") return [];
  if (caller !== "service") {
    return [createAuthInterceptor({ verifyCredentials: () => ({ subject: "ada", ...caller }) })];
  }
  const trustSource: InternalTrust = {
    headers: ["x-service"],
    proof: (_, headers) => headers.get("x-service"),
    verify: () => ({ subject: "orders" }),
  };
  return [createInternalAuthInterceptor({ trustSource, internalMethods: ["*"] })];
}

/** Calls one method, whose implementation nobody has written. */
async function call(
  interceptors: Interceptor[],
  method: Method,
  logger?: CreateServerOptions["logger"],
) {
  const server = createServer({
    services: [(router) => void router.service(GuardedService, { [method]: () => ({}) })],
    interceptors,
    logger,
  });
  const client = createClient(GuardedService, createLocalTransport(server));
  const headers = { authorization: "Bearer x", "x-service": "x" };
  return client[method]({}, { headers }).then(
    () => undefined,
    (error) => ConnectError.from(error).message,
  );
}

describe("onDecision hears what decided and why", () => {
  const cases: Array<[Method, Caller, string | undefined, string, string, ProtoAuthzOptions?]> = [
    ["open", "nobody", undefined, "public", "the method is public"],
    ["anyIdentity", "nobody", ANONYMOUS, "requires", "needs an identity"],
    ["anyIdentity", user, undefined, "requires", "has any identity"],
    ["adminsOnly", "nobody", ANONYMOUS, "requires", "needs an identity"],
    ["adminsOnly", user, DENIED, "requires", "needs role admin or owner"],
    ["adminsOnly", { roles: ["owner"] }, undefined, "requires", "has role admin or owner"],
    ["pay", { scopes: ["pay", "write"] }, DENIED, "requires", "needs role admin"],
    ["pay", { roles: ["admin"] }, DENIED, "requires", "needs scope pay and write"],
    ["pay", { roles: ["admin"], scopes: ["pay"] }, DENIED, "requires", "needs scope write"],
    [
      "pay",
      { roles: ["admin"], scopes: ["write", "pay"] },
      undefined,
      "requires",
      "has role admin and scope pay and write",
    ],
    ["allowed", "nobody", undefined, "policy", "the policy is allow"],
    ["shut", "nobody", DENIED, "policy", "the policy is deny"],
    ["shut", user, DENIED, "policy", "the policy is deny"],
    ["internal", "nobody", ANONYMOUS, "internal", "needs an internal identity"],
    ["internal", user, DENIED, "internal", "needs an internal identity"],
    ["internal", "service", undefined, "internal", "an internal identity"],
    ["internalWriters", user, DENIED, "internal", "needs an internal identity"],
    ["internalWriters", "service", DENIED, "requires", "needs scope write"],
    ["silent", "nobody", ANONYMOUS, "defaultPolicy", "no rule allows it"],
    ["silent", user, DENIED, "defaultPolicy", "no rule allows it"],
    [
      "silent",
      "nobody",
      undefined,
      "defaultPolicy",
      "nothing speaks against it",
      { defaultPolicy: "allow" },
    ],
    ...byRules([{ name: "shut", effect: "deny" }], {
      nobody: [DENIED, "shut", "the rule refuses everybody"],
      user: [DENIED, "shut", "the rule refuses everybody"],
    }),
    ...byRules([{ name: "banned", effect: "deny", requires: { roles: ["banned"] } }], {
      nobody: [ANONYMOUS, "defaultPolicy", "no rule allows it"],
      user: [DENIED, "defaultPolicy", "no rule allows it"],
      banned: [DENIED, "banned", "the rule refuses role banned"],
    }),
    ...byRules(
      [
        { name: "bosses", effect: "allow", requires: { roles: ["boss"] } },
        { name: "banned", effect: "allow", requires: { roles: ["banned"] } },
      ],
      {
        nobody: [ANONYMOUS, "bosses", "needs an identity"],
        user: [DENIED, "bosses", "needs role boss"],
        banned: [undefined, "banned", "the rule allows it"],
      },
    ),
    ...byRules([{ name: "open", effect: "allow" }], {
      nobody: [undefined, "open", "the rule allows it"],
    }),
    ...byAnswer(() => true, undefined, undefined, "authorize() returned true"),
    ...byAnswer(() => false, ANONYMOUS, DENIED, "authorize() returned false"),
    ...byAnswer(() => null as never, ANONYMOUS, DENIED, "authorize() returned null"),
    ...byAnswer(async () => false, ANONYMOUS, DENIED, "authorize() returned false"),
    ...byAnswer(async () => true, undefined, undefined, "authorize() returned true"),
    ...byAnswer(
      () => {
        throw new Error("down");
      },
      ANONYMOUS,
      DENIED,
      "authorize() threw",
    ),
    ...byAnswer(() => Promise.reject(new Error("down")), ANONYMOUS, DENIED, "authorize() threw"),
  ];

  for (const [index, [method, caller, error, rule, reason, options]] of cases.entries()) {
    const who = typeof caller === "string" ? caller : `user ${JSON.stringify(caller)}`;
    test(`decision ${index + 1}, ${method} by ${who}: ${rule}, ${reason}`, async () => {
      const decisions: AuthzDecision[] = [];
      const authz = createProtoAuthzInterceptor({
        ...options,
        onDecision: (decision) => void decisions.push(decision),
      });
      assert.equal(await call([...authenticatorOf(caller), authz], method), error);
      const subject = { nobody: undefined, service: "orders" };
      assert.deepEqual(decisions, [
        {
          method: `guarded.v1.GuardedService/${GuardedService.method[method].name}`,
          subject: typeof caller === "string" ? subject[caller] : "ada",
          allowed: error === undefined,
          rule,
          reason,
        },
      ]);
    });
  }

  type Case = (typeof cases)[number];

  function byRules(
    rules: ReadonlyArray<Omit<AuthzRule, "methods">>,
    expected: Readonly<Record<string, [string | undefined, string, string]>>,
  ): Case[] {
    const options = { rules: rules.map((rule) => ({ ...rule, methods: ["*"] })) };
    return Object.entries(expected).map(([who, [error, rule, reason]]) => {
      const caller = who === "nobody" ? who : { roles: [who] };
      return ["silent", caller, error, rule, reason, options];
    });
  }

  function byAnswer(
    authorize: NonNullable<ProtoAuthzOptions["authorize"]>,
    nobody: string | undefined,
    known: string | undefined,
    reason: string,
  ): Case[] {
    return [
      ["silent", "nobody", nobody, "authorize", reason, { authorize }],
      ["silent", user, known, "authorize", reason, { authorize }],
    ];
  }
});

describe("the log of a server", () => {
  async function entriesOf(options: AuthzOptions): Promise<unknown[]> {
    const entries: unknown[] = [];
    const note = (level: string) => (fields: object, message?: string) =>
      void entries.push([level, message, fields]);
    const logger = {
      debug: note("debug"),
      info: note("info"),
      warn: note("warn"),
      error: note("error"),
    };
    await call([...authenticatorOf(user), createAuthzInterceptor(options)], "silent", logger);
    return entries;
  }
  const refused = {
    method: "guarded.v1.GuardedService/Silent",
    subject: "ada",
    allowed: false,
  };

  test("has what was refused, and nothing of what was allowed", async () => {
    assert.deepEqual(await entriesOf({}), [
      [
        "info",
        "a call was refused",
        { ...refused, rule: "defaultPolicy", reason: "no rule allows it" },
      ],
    ]);
    assert.deepEqual(await entriesOf({ defaultPolicy: "allow" }), []);
  });

  test("has what authorize and onDecision threw", async () => {
    const err = new Error("policy server is down");
    const authorize = () => Promise.reject(err);
    assert.deepEqual(await entriesOf({ authorize }), [
      [
        "info",
        "a call was refused",
        { ...refused, rule: "authorize", reason: "authorize() threw", err },
      ],
    ]);
    const onDecision = () => {
      throw err;
    };
    assert.deepEqual(await entriesOf({ onDecision, defaultPolicy: "allow" }), [
      ["error", "onDecision threw", { err }],
    ]);
  });
});

describe("explainAuthz", () => {
  const services = [GuardedService, OpenService, MembersService, BackOfficeService];

  function explain(options: ProtoAuthzOptions): Record<string, string[]> {
    const server = createServer({
      services: services.map((service) => (router) => void router.service(service, {})),
      interceptors: [createProtoAuthzInterceptor(options)],
    });
    return Object.fromEntries(
      explainAuthz(server).map(({ method, access, who, why }) => [
        method.replace("guarded.v1.", ""),
        [access, who, why],
      ]),
    );
  }

  test("tells every option of the proto", () => {
    const members = ["requirements", "role user", "proto: requires"];
    const shut = ["nobody", "nobody", "proto: policy"];
    const open = ["anybody", "anybody", "proto: public"];
    const internal = ["internal", "internal services", "proto: internal"];
    const rest = ["nobody", "nobody", "defaultPolicy"];
    assert.deepEqual(explain({}), {
      "BackOfficeService/Ambiguous": internal,
      "BackOfficeService/Inherits": internal,
      "BackOfficeService/Open": open,
      "GuardedService/AdminsOnly": ["requirements", "role admin or owner", "proto: requires"],
      "GuardedService/Allowed": ["anybody", "anybody", "proto: policy"],
      "GuardedService/AnyIdentity": ["authenticated", "any identity", "proto: requires"],
      "GuardedService/Internal": internal,
      "GuardedService/InternalWriters": [
        "internal",
        "internal services with scope write",
        "proto: internal and requires",
      ],
      "GuardedService/Open": open,
      "GuardedService/Pay": [
        "requirements",
        "role admin and scope pay and write",
        "proto: requires",
      ],
      "GuardedService/Shut": shut,
      "GuardedService/Silent": rest,
      "MembersService/Inherits": members,
      "MembersService/Open": open,
      "MembersService/Requires": ["requirements", "scope audit", "proto: requires"],
      "MembersService/Shut": shut,
      "OpenService/ClosedAgain": rest,
      "OpenService/Inherits": open,
      "OpenService/Internal": internal,
      "OpenService/Requires": ["requirements", "role admin", "proto: requires"],
      "OpenService/Shut": shut,
    });
  });

  test("tells rules, authorize and the default policy", () => {
    const silent =
      (...rules: Array<Omit<AuthzRule, "methods">>) =>
      (options?: ProtoAuthzOptions) =>
        explain({
          ...options,
          rules: rules.map((rule) => ({ ...rule, methods: ["guarded.v1.GuardedService/*"] })),
        })["GuardedService/Silent"];
    const authorize = () => true;
    const known = { name: "known", effect: "allow", requires: {} } as const;
    const admins = { name: "admins", effect: "allow", requires: { roles: ["admin"] } } as const;
    const readers = { name: "readers", effect: "allow", requires: { scopes: ["read"] } } as const;
    const all = { name: "all", effect: "allow" } as const;
    const none = { name: "none", effect: "deny" } as const;
    const banned = { name: "banned", effect: "deny", requires: { roles: ["banned"] } } as const;

    assert.deepEqual(silent()({ defaultPolicy: "allow" }), ["anybody", "anybody", "defaultPolicy"]);
    assert.deepEqual(silent()({ authorize, defaultPolicy: "allow" }), [
      "decided",
      "whom authorize() lets pass",
      "authorize",
    ]);
    assert.deepEqual(silent(known)(), ["authenticated", "any identity", 'rule "known"']);
    assert.deepEqual(silent(admins, readers)({ authorize }), [
      "requirements",
      "role admin; or scope read",
      'rule "admins", rule "readers"',
    ]);
    assert.deepEqual(silent(admins, known)(), [
      "authenticated",
      "any identity",
      'rule "admins", rule "known"',
    ]);
    assert.deepEqual(silent(admins, all)(), ["anybody", "anybody", 'rule "admins", rule "all"']);
    assert.deepEqual(silent(all, none)(), ["nobody", "nobody", 'rule "none"']);
    assert.deepEqual(silent(admins, banned)(), [
      "requirements",
      'role admin, not role banned (rule "banned")',
      'rule "admins"',
    ]);
    assert.deepEqual(silent(banned)({ defaultPolicy: "allow" }), [
      "anybody",
      'anybody, not role banned (rule "banned")',
      "defaultPolicy",
    ]);
  });

  test("tells what is skipped", () => {
    assert.deepEqual(
      explain({ skipMethods: ["guarded.v1.GuardedService/Shut"] })["GuardedService/Shut"],
      ["anybody", "anybody", "skipMethods"],
    );
  });
});

describe("options that cannot work", () => {
  const good = { name: "a", methods: ["*"], effect: "allow" };
  const list = (where: string) =>
    `${where} must be a list of at least one non-empty string; leave it out to require none`;
  const cases: Array<[object, string]> = [
    [{ defaultPolicy: "maybe" }, 'defaultPolicy must be "allow" or "deny", got "maybe"'],
    [{ authorize: "ask" }, 'authorize must be a function, got "ask"'],
    [{ onDecision: "audit" }, 'onDecision must be a function, got "audit"'],
    [
      { skipMethods: ["Ask"] },
      'skipMethods takes "*", "pkg.*", "pkg.Service/*" and "pkg.Service/Method", got "Ask"',
    ],
    [{ rules: "all" }, 'rules must be a list, got "all"'],
    [
      { rules: [good, { ...good, rule: 1 }] },
      'rules[1] has no option "rule"; did you mean "name"?',
    ],
    ...[5, "", undefined].map((name): [object, string] => [
      { rules: [{ ...good, name }] },
      `rules[0]: name must be a unique, non-empty string, got ${JSON.stringify(name)}`,
    ]),
    [{ rules: [good, good] }, 'rules[1]: name must be a unique, non-empty string, got "a"'],
    [
      { rules: [{ ...good, effect: "permit" }] },
      'rules[0]: effect must be "allow" or "deny", got "permit"',
    ],
    ...[[[], "an array"] as const, ["*", '"*"'] as const].map(
      ([methods, got]): [object, string] => [
        { rules: [{ ...good, methods }] },
        `rules[0]: methods must be a list of at least one pattern, got ${got}`,
      ],
    ),
    [
      { rules: [{ ...good, methods: ["Ask"] }] },
      'rule "a" takes "*", "pkg.*", "pkg.Service/*" and "pkg.Service/Method", got "Ask"',
    ],
    ...[["admin", '"admin"'] as const, [null, "null"] as const].map(
      ([requires, got]): [object, string] => [
        { rules: [{ ...good, requires }] },
        `rule "a".requires must be { roles?, scopes? }, got ${got}`,
      ],
    ),
    [
      { rules: [{ ...good, requires: { role: ["admin"] } }] },
      'rule "a".requires has no option "role"; did you mean "roles"?',
    ],
    ...[[], "admin", [""], ["admin", ""], [5], ["admin", 5], null].map(
      (roles): [object, string] => [
        { rules: [{ ...good, requires: { roles } }] },
        list('rule "a".requires.roles'),
      ],
    ),
    [{ rules: [{ ...good, requires: { scopes: [] } }] }, list('rule "a".requires.scopes')],
    ...[{}, { roles: undefined }].map((requires): [object, string] => [
      { rules: [{ ...good, effect: "deny", requires }] },
      "rules[0]: requires is empty; leave it out to deny everybody",
    ]),
  ];
  for (const [options, message] of cases) {
    test(message, () => {
      assert.throws(() => createAuthzInterceptor(options), { code: "INVALID_OPTION", message });
    });
  }

  test("undefined is the same as left out", async () => {
    const rule = {
      ...good,
      effect: "allow",
      requires: { roles: undefined, scopes: ["read"] },
    } as const;
    const authz = createAuthzInterceptor({
      rules: [rule],
      authorize: undefined,
      onDecision: undefined,
    });
    assert.equal(
      await call([...authenticatorOf({ scopes: ["read"] }), authz], "silent"),
      undefined,
    );
    assert.equal(await call([...authenticatorOf(user), authz], "silent"), DENIED);
  });
});

describe("resolveMethodAuth", () => {
  test("has what the proto says and nothing else, the same each time", () => {
    const closed = { public: false, internal: false };
    const { method } = GuardedService;
    for (const [desc, expected] of [
      [method.silent, closed],
      [method.open, { public: true, internal: false }],
      [method.anyIdentity, { ...closed, requires: { roles: [], scopes: [] } }],
      [method.allowed, { ...closed, policy: "allow" }],
      [method.internal, { public: false, internal: true }],
      [OpenService.method.requires, { ...closed, requires: { roles: ["admin"], scopes: [] } }],
    ] as const) {
      assert.deepEqual(resolveMethodAuth(desc), expected);
      assert.equal(resolveMethodAuth(desc), resolveMethodAuth(desc));
    }
  });
});

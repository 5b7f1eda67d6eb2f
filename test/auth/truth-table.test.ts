import assert from "node:assert/strict";
import { test } from "node:test";
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescMethodUnary,
  type DescService,
  setExtension,
} from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_descriptor,
  MethodOptionsSchema,
  ServiceOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  type AuthzRule,
  createAuthInterceptor,
  createInternalAuthInterceptor,
  createProtoAuthzInterceptor,
  type InternalTrust,
} from "connectum/auth";
import {
  file_connectum_auth_v1_options,
  MethodAuthSchema,
  method_auth,
  ServiceAuthSchema,
  service_auth,
} from "connectum/auth/proto";
import { createLocalTransport, createServer } from "connectum/core";

interface Needs {
  readonly roles: string[];
  readonly scopes: string[];
}

interface Level {
  readonly public?: boolean;
  readonly internal?: boolean;
  readonly requires?: Needs;
  readonly policy?: "allow" | "deny";
}

interface Caller {
  readonly kind: "nobody" | "user" | "service";
  readonly roles: string[];
  readonly scopes: string[];
}

interface World {
  readonly services: Array<{ readonly level: Level; readonly methods: Level[] }>;
  readonly rules: AuthzRule[];
  readonly authorize: "none" | "true" | "false" | "undefined";
  readonly defaultPolicy: "allow" | "deny";
}

type Outcome = "allow" | "unauthenticated" | "denied";

/**
 * The oracle, written from the specification's sentences and sharing nothing with the engine: it
 * collects reasons to refuse and to admit, and then looks which is strongest.
 */
function oracle(world: World, service: Level, method: Level, name: string, who: Caller): Outcome {
  const known = who.kind !== "nobody";
  const satisfied = ({ roles, scopes }: Needs) => {
    if (!known) return false;
    const hasRole = roles.length === 0 || roles.filter((r) => who.roles.includes(r)).length > 0;
    return hasRole && scopes.filter((s) => !who.scopes.includes(s)).length === 0;
  };
  const insufficient: Outcome = known ? "denied" : "unauthenticated";

  // "a method's policy: deny": shut, and not for want of an identity.
  if (method.policy === "deny") return "denied";
  const isInternal = method.internal === undefined ? service.internal === true : method.internal;
  const saysPublic = method.public === undefined ? service.public === true : method.public;
  // "a method's requires cancels an inherited public"; "internal" is never public.
  if (saysPublic && method.requires === undefined && !isInternal) return "allow";
  if (isInternal && who.kind !== "service") return insufficient;
  const needs = method.requires ?? service.requires;
  if (needs !== undefined) return satisfied(needs) ? "allow" : insufficient;
  if (isInternal) return "allow";
  const policy = method.policy ?? service.policy;
  if (policy !== undefined) return policy === "allow" ? "allow" : "denied";

  const about = world.rules.filter(({ methods }) =>
    methods.some((pattern) => {
      if (pattern === "*") return true;
      const head = pattern.replace(/\*$/, "");
      return head === pattern ? name === pattern : name.indexOf(head) === 0;
    }),
  );
  const met = (rule: AuthzRule) =>
    rule.requires === undefined ||
    satisfied({
      roles: [...(rule.requires.roles ?? [])],
      scopes: [...(rule.requires.scopes ?? [])],
    });
  if (about.some((rule) => rule.effect === "deny" && met(rule))) return "denied";
  const allows = about.filter((rule) => rule.effect === "allow");
  if (allows.some(met)) return "allow";
  if (allows.length > 0) return insufficient;
  if (world.authorize === "true") return "allow";
  if (world.authorize === "false") return insufficient;
  return world.defaultPolicy === "allow" ? "allow" : insufficient;
}

/** The same numbers on every run (mulberry32). */
function dice(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    pick: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T,
    some: (list: readonly string[]) => list.filter(() => next() < 0.4),
  };
}

type Dice = ReturnType<typeof dice>;
const roles = ["admin", "user", "auditor"];
const scopes = ["read", "write"];

function makeLevel({ pick, some }: Dice): Level {
  for (;;) {
    const level: Level = {
      public: pick([undefined, undefined, undefined, true, false]),
      internal: pick([undefined, undefined, undefined, true, false]),
      requires: pick([undefined, undefined, { roles: some(roles), scopes: some(scopes) }]),
      policy: pick([undefined, undefined, undefined, "allow", "deny"] as const),
    };
    // These fail at start-up, which is another test.
    if (!level.public || !(level.internal || level.requires)) return level;
  }
}

function makeRule(dice: Dice, index: number): AuthzRule {
  const { pick, some } = dice;
  const effect = pick(["allow", "allow", "deny"] as const);
  const wanted = { roles: some(roles), scopes: some(scopes) };
  const requires = {
    ...(wanted.roles.length > 0 ? { roles: wanted.roles } : {}),
    ...(wanted.scopes.length > 0 ? { scopes: wanted.scopes } : {}),
  };
  const isEmpty = Object.keys(requires).length === 0;
  const method = pick(["M0", "M1", "M2", "M3", "M4"]);
  const pattern = pick(["*", "table.*", "table.v1.S0/*", "table.v1.S1/*", `table.v1.S0/${method}`]);
  const hasNone = pick([true, false, false]) || (effect === "deny" && isEmpty);
  return { name: `rule ${index}`, effect, methods: [pattern], ...(hasNone ? {} : { requires }) };
}

function makeWorld(dice: Dice): World {
  const { pick } = dice;
  const count = pick([0, 0, 1, 2, 3]);
  return {
    services: Array.from({ length: 4 }, () => ({
      level: pick([{}, makeLevel(dice)]),
      methods: Array.from({ length: 5 }, () => pick([{}, makeLevel(dice), makeLevel(dice)])),
    })),
    rules: Array.from({ length: count }, (_, index) => makeRule(dice, index)),
    authorize: pick(["none", "none", "true", "false", "undefined"]),
    defaultPolicy: pick(["allow", "deny"]),
  };
}

/** The world as descriptors, with real options in them. */
function describeWorld({ services }: World): DescService[] {
  const file = create(FileDescriptorProtoSchema, {
    name: "table/v1/table.proto",
    package: "table.v1",
    syntax: "proto3",
    messageType: [{ name: "Nothing" }],
    service: services.map(({ level, methods }, index) => {
      const options = create(ServiceOptionsSchema);
      const { policy: defaultPolicy, requires: defaultRequires, ...rest } = level;
      const auth = create(ServiceAuthSchema, defined({ ...rest, defaultPolicy, defaultRequires }));
      if (Object.keys(level).length > 0) setExtension(options, service_auth, auth);
      return {
        name: `S${index}`,
        options,
        method: methods.map((each, number) => {
          const ofMethod = create(MethodOptionsSchema);
          if (Object.keys(each).length > 0) {
            setExtension(ofMethod, method_auth, create(MethodAuthSchema, defined(each)));
          }
          const type = ".table.v1.Nothing";
          return { name: `M${number}`, inputType: type, outputType: type, options: ofMethod };
        }),
      };
    }),
  });
  const { proto: google } = file_google_protobuf_descriptor;
  const { proto: ours } = file_connectum_auth_v1_options;
  const registry = createFileRegistry(
    create(FileDescriptorSetSchema, { file: [google, ours, file] }),
  );
  return services.map((_, index) => registry.getService(`table.v1.S${index}`) as DescService);
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}

const credentials = (who: Caller) => JSON.stringify({ subject: "somebody", ...who });
const trust: InternalTrust = {
  headers: ["x-service"],
  proof: (_, headers) => headers.get("x-service"),
  verify: (proof) => JSON.parse(proof),
};
const authenticators: Record<Caller["kind"], Interceptor[]> = {
  nobody: [],
  user: [createAuthInterceptor({ verifyCredentials: (text) => JSON.parse(text) })],
  service: [createInternalAuthInterceptor({ trustSource: trust, internalMethods: ["*"] })],
};

function openWorld(world: World, descs: DescService[], kind: Caller["kind"]): Transport {
  const answers = { true: true, false: false, undefined };
  const { authorize, rules, defaultPolicy } = world;
  const server = createServer({
    services: descs.map((desc) => (router) => {
      const entries = desc.methods.map(({ localName }) => [localName, () => ({})]);
      router.service(desc, Object.fromEntries(entries));
    }),
    interceptors: [
      ...authenticators[kind],
      createProtoAuthzInterceptor({
        rules,
        defaultPolicy,
        authorize: authorize === "none" ? undefined : () => answers[authorize],
      }),
    ],
  });
  return createLocalTransport(server);
}

async function call(transport: Transport, method: DescMethod, who: Caller): Promise<Outcome> {
  const headers: Record<string, string> = {};
  if (who.kind === "user") headers.authorization = `Bearer ${credentials(who)}`;
  if (who.kind === "service") headers["x-service"] = credentials(who);
  try {
    await transport.unary(method as DescMethodUnary, undefined, undefined, headers, {});
    return "allow";
  } catch (error) {
    const { code } = ConnectError.from(error);
    if (code === Code.Unauthenticated) return "unauthenticated";
    if (code === Code.PermissionDenied) return "denied";
    throw error;
  }
}

const callers: Caller[] = [
  { kind: "nobody", roles: [], scopes: [] },
  ...(["user", "service"] as const).flatMap((kind) => [
    { kind, roles: [], scopes: [] },
    { kind, roles: ["user"], scopes: ["read"] },
    { kind, roles: ["admin", "auditor"], scopes: ["read", "write"] },
    { kind, roles: ["auditor"], scopes: ["write"] },
  ]),
];

test("the engine and an independent oracle decide 9 000 combinations alike", async () => {
  const seeded = dice(20_240_607);
  const counts: Record<Outcome, number> = { allow: 0, unauthenticated: 0, denied: 0 };
  let combinations = 0;
  for (let round = 0; round < 50; round++) {
    const world = makeWorld(seeded);
    const descs = describeWorld(world);
    const transports = {
      nobody: openWorld(world, descs, "nobody"),
      user: openWorld(world, descs, "user"),
      service: openWorld(world, descs, "service"),
    };
    for (const [index, { level, methods }] of world.services.entries()) {
      for (const [number, method] of methods.entries()) {
        const name = `table.v1.S${index}/M${number}`;
        const desc = descs[index]?.methods[number] as DescMethod;
        for (const who of callers) {
          const expected = oracle(world, level, method, name, who);
          const actual = await call(transports[who.kind], desc, who);
          counts[expected]++;
          combinations++;
          const { rules, authorize, defaultPolicy } = world;
          const situation = { level, method, who, rules, authorize, defaultPolicy };
          assert.equal(actual, expected, `${name} ${JSON.stringify(situation)}`);
        }
      }
    }
  }
  assert.equal(combinations, 9_000);
  for (const [outcome, count] of Object.entries(counts)) {
    assert.ok(count > 400, `too few of ${outcome}: ${count}`);
  }
});

import { damageBody, damageQuery } from "./damage.ts";
import { type Draft, isBare, pathOf, render } from "./draft.ts";
import type { Random } from "./random.ts";
import { generateScriptedMessage } from "./script-messages.ts";
import type { Fields, WireRequest } from "./wire-request.ts";

/** What is wrong with a request, and that request. */
type Fault = (random: Random, draft: Draft) => WireRequest;

/** The request of a draft with one thing wrong; those that do not apply give a right one. */
export function generateFault(random: Random, draft: Draft): WireRequest {
  // A handler that waits for its deadline would make the time a second fault.
  if (draft.messages.some(({ script }) => script?.isWaiting)) return render(random, draft);
  // So would a message over the limit.
  for (const { content } of draft.messages) if (content) content.payload = new Uint8Array(7);
  const [name, fault] = random.pick(Object.entries(faults));
  const wire = fault(random, draft);
  return { ...wire, label: `${wire.label} with wrong ${name}` };
}

const faults: Readonly<Record<string, Fault>> = {
  body: withDamagedBody,
  "body of many kinds": withDamagedBody,
  query: (random, draft) => {
    if (draft.protocol !== "get") return withDamagedBody(random, draft);
    return render(random, { ...draft, damageQuery: (query) => damageQuery(random, query) });
  },
  cardinality(random, draft) {
    const messages = random.list(0, 2, () => generateScriptedMessage(random, false));
    return render(random, isBare(draft) ? draft : { ...draft, messages });
  },
  "content type"(random, draft) {
    const wire = render(random, draft);
    const type = random.chance(0.5)
      ? random.pick(contentTypes)
      : `${fieldOf(wire.headers, "content-type")}${random.pick(parameters)}`;
    return replaceField(wire, "content-type", random.chance(0.1) ? undefined : type);
  },
  encoding(random, draft) {
    const wire = render(random, { ...draft, encoding: "identity" });
    const name = wire.headers.find(([, value]) => value === "identity")?.[0];
    return name ? replaceField(wire, name, random.pick(["snappy", "GZIP", "gzip,br", ""])) : wire;
  },
  timeout: (random, draft) =>
    render(random, {
      ...draft,
      timeout: random.pick(
        draft.protocol === "connect" || draft.protocol === "get" ? connectTimeouts : grpcTimeouts,
      ),
    }),
  "protocol version"(random, draft) {
    const extras: Fields = [["connect-protocol-version", random.pick(["2", "0", ""])]];
    return render(random, draft.protocol === "connect" ? { ...draft, extras } : draft);
  },
  "HTTP method"(random, draft) {
    const wire = render(random, draft);
    const method = random.pick(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]);
    if (method === "POST" || method === "PUT" || method === "PATCH") return { ...wire, method };
    const headers = wire.headers.filter(([name]) => !framing.has(name));
    return { ...wire, method, headers, body: Buffer.alloc(0), forOracle: undefined };
  },
  path(random, draft) {
    const wire = render(random, draft);
    const [path = "", search] = wire.path.split("?");
    const wrong = random.pick([
      `${path}/`,
      `${path}X`,
      path.toLowerCase(),
      path.replace("S", "%53"),
      `/${path}`,
      path.slice(0, path.lastIndexOf("/")),
      pathOf("Unknown"),
      "/",
      "*",
    ]);
    return { ...wire, path: search === undefined ? wrong : `${wrong}?${search}` };
  },
};

function withDamagedBody(random: Random, draft: Draft): WireRequest {
  let what = "";
  const damage = (body: Buffer) => {
    const [name, damaged] = damageBody(random, body, isBare(draft));
    what = name;
    return damaged;
  };
  const wire = render(random, { ...draft, damage });
  return { ...wire, label: `${wire.label} ${what}` };
}

const framing = new Set(["content-length", "transfer-encoding"]);

const connectTimeouts = ["0", "-1", "1.5", "abc", "99999999999", "1e3", ""];
const grpcTimeouts = ["0m", "0n", "-1S", "1x", "S", "", "5", "1 S", "100000000u", "1.5S", "1s"];

const contentTypes = [
  "text/plain",
  "application/octet-stream",
  "application/grpcx",
  "application/",
  "",
  "application/connectjson",
  "application/connect+text",
  "application/grpc+thrift",
  "application/grpc-web+thrift",
  "application/protobuf",
];

const parameters = [
  "; charset=utf-8",
  ";charset=UTF-8",
  "; charset=latin1",
  '; charset="utf-8"',
  "; x=y",
  ";",
];

function fieldOf(fields: Fields, name: string): string {
  return fields.find(([key]) => key === name)?.[1] ?? "";
}

function replaceField(wire: WireRequest, name: string, value: string | undefined): WireRequest {
  const change = (fields: Fields, replacement: string | undefined): Fields => [
    ...fields.filter(([key]) => key !== name),
    ...(replacement === undefined ? [] : ([[name, replacement]] as Fields)),
  ];
  const { forOracle } = wire;
  return {
    ...wire,
    headers: change(wire.headers, value),
    forOracle: forOracle && {
      ...forOracle,
      headers: change(forOracle.headers, value?.replace("-text", "")),
    },
  };
}

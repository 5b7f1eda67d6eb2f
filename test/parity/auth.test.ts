import { describe } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createAuthzInterceptor, createJwtAuthInterceptor, getAuthContext } from "connectum/auth";
import { createTestJwt, generateTestKeypair } from "connectum/testing";
import { drain, outcomeOf, texts } from "./outcome.ts";
import { parity } from "./parity.ts";

const key = generateTestKeypair({ algorithm: "ES256" });
const service = "connectum.script.v1.ScriptService";

const interceptors = [
  createJwtAuthInterceptor({ publicKey: key.publicKey, algorithms: ["ES256"] }),
  createAuthzInterceptor({
    rules: [
      { name: "read", methods: [`${service}/Look`], effect: "allow", requires: {} },
      {
        name: "write",
        methods: [`${service}/*`],
        effect: "allow",
        requires: { scopes: ["write"] },
      },
    ],
  }),
];

const tokenOf = (scope: string, options = {}) =>
  createTestJwt({ sub: "ada", scope }, { key, ...options });

/** Tokens, and the codes that `Look` and the other methods answer with; undefined where they answer. */
const callers: Record<string, [token: string | undefined, look?: Code, others?: Code]> = {
  "no token": [undefined, Code.Unauthenticated, Code.Unauthenticated],
  "no JSON Web Token": ["x.y.z", Code.Unauthenticated, Code.Unauthenticated],
  "an expired token": [
    tokenOf("write", { expiresInSec: -3600 }),
    Code.Unauthenticated,
    Code.Unauthenticated,
  ],
  "a token that another key has signed": [
    tokenOf("write", { key: generateTestKeypair({ algorithm: "ES256", kid: key.kid }) }),
    Code.Unauthenticated,
    Code.Unauthenticated,
  ],
  "the token of a reader": [tokenOf("read"), undefined, Code.PermissionDenied],
  "the token of a writer": [tokenOf("read write")],
};

/** Logs what a call ends with. */
async function noted(log: (entry: unknown) => void, call: Promise<unknown>): Promise<unknown> {
  await call.then(
    () => log("answered"),
    (error) => log(Code[ConnectError.from(error).code]),
  );
  return outcomeOf(call);
}

describe("authentication and authorization are the same everywhere", () => {
  for (const [name, [token, look, others]] of Object.entries(callers)) {
    const headers: HeadersInit = token ? { authorization: `Bearer ${token}` } : {};
    const ends = (code: Code | undefined, method: string) =>
      code === undefined ? [`${method} by ada`, "answered"] : [Code[code]];

    parity(`unary calls with ${name}`, (log) => ({
      interceptors,
      service: {
        look(_, context) {
          log(`look by ${getAuthContext(context)?.subject}`);
          return {};
        },
        once() {
          log(`once by ${getAuthContext()?.subject}`);
          return {};
        },
      },
      call: async (client) => [
        await noted(log, client.look({}, { headers })),
        await noted(log, client.once({}, { headers })),
      ],
      expect: [...ends(look, "look"), ...ends(others, "once")],
    }));

    parity(`streams with ${name}`, (log) => ({
      interceptors,
      isFullDuplex: true,
      // Refused before they are read.
      isCutShort: others !== undefined,
      service: {
        async *download() {
          yield { content: { text: "one" } };
          log(`download by ${getAuthContext()?.subject}`);
        },
        async upload(requests) {
          for await (const _ of requests);
          log(`upload by ${getAuthContext()?.subject}`);
          return {};
        },
        async *talk(requests) {
          for await (const { content } of requests) yield { content };
          log(`talk by ${getAuthContext()?.subject}`);
        },
      },
      call: async (client) => [
        await drain(client.download({}, { headers })),
        await outcomeOf(client.upload(texts("a", "b"), { headers })),
        await drain(client.talk(texts("a", "b"), { headers })),
      ],
      expect: others === undefined ? ["download by ada", "upload by ada", "talk by ada"] : [],
    }));
  }
});

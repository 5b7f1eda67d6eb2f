import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { connectum, jsonLines } from "./connectum.ts";
import { type PemFiles, pemFiles } from "./pem-files.ts";
import { skipGo, startGoServer, startGrpcJs } from "./servers.ts";
import { emptyProject } from "./workspace.ts";

type Lane = "plaintext" | "TLS" | "mTLS";

/** A server that is not ours, and what its methods answer. */
interface OtherServer {
  readonly name: string;
  readonly skip: string | false;
  /** Starts it so that every call has to carry the token `secret`. */
  readonly start: (t: TestContext, lane: Lane, pem: PemFiles) => Promise<string>;
  /** Unary, server stream, client stream, bidi stream. */
  readonly calls: readonly (readonly [method: string, data: string, responses: unknown[]])[];
  readonly failing: readonly [method: string, data: string, output: string[]];
  readonly service: string;
  /** What generated types must say of its bidi stream. */
  readonly bidi: RegExp;
}

const grpcJs: OtherServer = {
  name: "grpc-js with @grpc/reflection",
  skip: false,
  start: (t, lane, { ca, serverCert, serverKey }) =>
    startGrpcJs(t, {
      token: "secret",
      ...(lane === "plaintext" ? {} : { tls: { cert: serverCert, key: serverKey } }),
      ...(lane === "mTLS" ? { clientCA: ca } : {}),
    }),
  calls: [
    ["Say", '{"text":"hi"}', [{ text: "hi, from me" }]],
    ["Repeat", '{"text":"a"}', [1, 2, 3].map((index) => ({ text: `a ${index}` }))],
    ["Collect", '{"text":"a"}{"text":"b"}', [{ text: "a b" }]],
    ["Talk", '{"text":"a"}{"text":"b"}', [{ text: "A" }, { text: "B" }]],
  ],
  failing: [
    "Say",
    "{}",
    [
      "error: invalid_argument: text is empty",
      '  google.rpc.BadRequest {"fieldViolations":[{"field":"text","description":"must not be empty"}]}',
      '  chat.v1.Line {"text":"hi"}',
    ],
  ],
  service: "chat.v1.Chat",
  bidi: /talk: \{\s+methodKind: "bidi_streaming"/,
};

const payload = (size: number) => ({ payload: { body: Buffer.alloc(size).toString("base64") } });
const wanted = (...sizes: number[]) =>
  JSON.stringify({ responseParameters: sizes.map((size) => ({ size })) });

const grpcGo: OtherServer = {
  name: "grpc-go",
  skip: skipGo,
  start: (t, lane, { ca, serverCert, serverKey }) =>
    startGoServer(t, [
      ...["-token", "secret"],
      ...(lane === "plaintext" ? [] : ["-cert", serverCert, "-key", serverKey]),
      ...(lane === "mTLS" ? ["-client-ca", ca] : []),
    ]),
  calls: [
    ["EmptyCall", "{}", [{}]],
    ["StreamingOutputCall", wanted(3, 1), [payload(3), payload(1)]],
    ["StreamingInputCall", JSON.stringify(payload(5)).repeat(2), [{ aggregatedPayloadSize: 10 }]],
    ["FullDuplexCall", wanted(2).repeat(2), [payload(2), payload(2)]],
  ],
  failing: [
    "UnaryCall",
    '{"responseStatus":{"code":9,"message":"not now"}}',
    [
      "error: failed_precondition: not now",
      '  google.rpc.BadRequest {"fieldViolations":[{"field":"response_status.code","description":"must be 0"}]}',
      '  google.rpc.RetryInfo {"retryDelay":"1.500s"}',
      '  grpc.testing.EchoStatus {"code":7,"message":"known through reflection only"}',
    ],
  ],
  service: "grpc.testing.TestService",
  bidi: /fullDuplexCall: \{\s+methodKind: "bidi_streaming"/,
};

const token = ["-H", "authorization: Bearer secret", "-H", "x-name: me"];

for (const { name, skip, start, calls, failing, service, bidi } of [grpcJs, grpcGo]) {
  describe(`a server of ${name}`, { concurrency: 2, skip }, () => {
    for (const lane of ["plaintext", "TLS", "mTLS"] as const) {
      test(`call and proto sync over ${lane}, with headers`, async (t) => {
        const pem = pemFiles(t);
        const address = await start(t, lane, pem);
        const url = `${lane === "plaintext" ? "http" : "https"}://${address}`;
        const trust = lane === "plaintext" ? [] : ["--ca", pem.ca];
        const identity = lane === "mTLS" ? pem.client : [];
        const call = (method: string, data: string, ...args: string[]) =>
          connectum(["call", url, `${service}/${method}`, "-d", data, ...trust, ...args]);

        for (const [method, data, responses] of calls) {
          const { code, stdout, stderr } = await call(method, data, ...identity, ...token);
          assert.equal(code, 0, stderr);
          assert.deepEqual(jsonLines(stdout), responses, method);
        }

        const [method, data, output] = failing;
        const failed = await call(method, data, ...identity, ...token);
        assert.deepEqual([failed.code, failed.stdout], [1, ""]);
        assert.deepEqual(failed.stderr.trimEnd().split("\n"), output);

        const stranger = await call(method, data, ...identity);
        assert.equal(stranger.code, 1);
        assert.match(stranger.stderr, /^error: unauthenticated: no token, no answer\nhint: .*-H/);

        const cwd = emptyProject(t);
        const to = ["--from", url, "--out", "clients", "--json"];
        const sync = ["proto", "sync", ...to, ...trust];
        const synced = await connectum([...sync, ...identity, ...token], { cwd });
        assert.equal(synced.code, 0, synced.stderr);
        const { services, added } = JSON.parse(synced.stdout);
        assert.deepEqual(services, [service]);
        // @grpc/proto-loader does not keep the names of files.
        const declarations = added.filter((path: string) => path.endsWith(".d.ts"));
        const types = declarations.map((path: string) =>
          readFileSync(join(cwd, "clients", path), "utf8"),
        );
        assert.match(types.join("\n"), bidi);

        if (lane !== "mTLS") return;
        const nobody = await connectum([...sync, ...token], { cwd });
        assert.equal(nobody.code, 1);
        assert.match(nobody.stderr, /: it wants a client certificate\nhint: .*--cert <file> --key/);
      });
    }
  });
}

import { createTestJwt } from "../../../src/testing/identities/test-jwt.ts";
import { generateTestKeypair } from "../../../src/testing/identities/test-keypair.ts";
import { grpcUnary } from "../loads.ts";
import { throughputRow } from "../throughput.ts";

const secret = "a secret of the bench that is long enough";
const pair = generateTestKeypair({ algorithm: "RS256" });
const claims = { sub: "bench", scope: "echo" };

const authenticated = (kind: string, key: string, token: string, ...args: string[]) => ({
  peer: { script: "authenticated", args: [kind, key, ...args] },
  load: grpcUnary("frame", 8, 16, token),
});
const hs256 = createTestJwt(claims, { key: secret });
const rs256 = createTestJwt(claims, { key: pair });
const raw = { peer: { script: "raw-http2" }, load: grpcUnary("frame") };

/** Everything a service in production has. */
export const p3 = throughputRow({
  id: "P3",
  what: "P1 with the default chain, a JWT, traces (1 % sampled) and metrics",
  needs: ["h2load"],
  unit: "calls",
  contenders: {
    raw,
    "HS256, verified each time": authenticated("hs256", secret, hs256, "traced"),
    "RS256, cached": authenticated("rs256", pair.publicKey, rs256, "traced"),
    "connect-node": { peer: { script: "connect-node-http2" }, load: grpcUnary("frame") },
  },
  compare: [
    { of: "HS256, verified each time", to: "raw", target: { atLeast: 0.45 } },
    { of: "RS256, cached", to: "raw", target: { atLeast: 0.45 } },
    { of: "HS256, verified each time", to: "connect-node", target: { atLeast: 3.5 } },
    { of: "RS256, cached", to: "connect-node", target: { atLeast: 3.5 } },
  ],
});

/** What the default chain and the verification of a token cost. */
export const auth = throughputRow({
  id: "AUTH",
  what: "gRPC unary over h2c, 35 bytes, default chain and a JWT",
  needs: ["h2load"],
  unit: "calls",
  contenders: {
    raw,
    "HS256, verified each time": authenticated("hs256", secret, hs256),
    "RS256, cached": authenticated("rs256", pair.publicKey, rs256),
    "HS256 without the chain": authenticated("bare", secret, hs256),
  },
  compare: [
    { of: "HS256, verified each time", to: "raw", target: { atLeast: 0.5 } },
    { of: "RS256, cached", to: "raw", target: { atLeast: 0.5 } },
    { of: "HS256 without the chain", to: "raw" },
  ],
});

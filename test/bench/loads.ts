import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { type Check, checkConnectBinary, checkConnectJson, checkGrpc } from "./checks.ts";
import type { Payloads } from "./payloads.ts";
import type { Peer } from "./peer.ts";
import type { Work } from "./servers/host.ts";
import { loadBinary, pinnedTo } from "./tools.ts";

export interface Load {
  /** Throws when the peer answers wrong. */
  readonly check?: Check;
  /** Puts load on a peer for some time and counts what it did. Throws when a call failed. */
  run(peer: Peer, seconds: number, payloads: Payloads): Promise<Work>;
}

const LOAD_CORE = 1;
const unaryPath = "/connectum.bench.v1.EchoService/Echo";

/** gRPC unary calls over HTTP/2 with prior knowledge, all with the same token if there is one. */
export function grpcUnary(
  file: "frame" | "largeFrame",
  connections = 8,
  streams = 16,
  token?: string,
): Load {
  const authorization = token === undefined ? [] : ["-H", `authorization: Bearer ${token}`];
  const load = async (peer: Peer, seconds: number, payloads: Payloads) => {
    const output = await run("h2load", [
      ...[
        "-c",
        String(connections),
        "-m",
        String(streams),
        "-D",
        `${Math.round(seconds * 1000)}ms`,
      ],
      ...["-H", "content-type: application/grpc+proto", "-H", "te: trailers"],
      ...authorization,
      ...["-d", payloads[file], `http://${peer.address}${unaryPath}`],
    ]);
    const [, took = "0", unit] = /finished in ([\d.]+)(ms|s)/.exec(output) ?? [];
    const [, succeeded = "0", failed = "0", errored = "0"] =
      /(\d+) succeeded, (\d+) failed, (\d+) errored/.exec(output) ?? [];
    if (failed !== "0" || errored !== "0") {
      throw new Error(`h2load saw failures:\n${output}`);
    }
    return { count: Number(succeeded), seconds: Number(took) / (unit === "ms" ? 1000 : 1) };
  };
  return { check: (peer) => checkGrpc(peer, token), run: load };
}

/** Connect unary calls over HTTP/1.1, 32 connections. */
export function connectUnary(file: "message" | "json"): Load {
  const type = file === "json" ? "application/json" : "application/proto";
  const load = async (peer: Peer, seconds: number, payloads: Payloads) => {
    const script = `${payloads[file]}.lua`;
    writeFileSync(
      script,
      `wrk.method = "POST"
wrk.headers["content-type"] = "${type}"
wrk.body = io.open("${payloads[file]}", "rb"):read("*a")
`,
    );
    const output = await run(
      "wrk",
      [
        ...["-t", "1", "-c", "32", "-d", "60s", "--timeout", "30s"],
        ...["-s", script, `http://${peer.address}${unaryPath}`],
      ],
      seconds,
    );
    const [, count = "0"] = /(\d+) requests in/.exec(output) ?? [];
    const [, rate = "0"] = /Requests\/sec: +([\d.]+)/.exec(output) ?? [];
    if (/Non-2xx|Socket errors/.test(output)) {
      throw new Error(`wrk saw failures:\n${output}`);
    }
    return { count: Number(count), seconds: Number(count) / Number(rate) || seconds };
  };
  return { check: file === "json" ? checkConnectJson : checkConnectBinary, run: load };
}

export interface GrpcGoOptions {
  readonly mode: "stream" | "pingpong" | "unary" | "paced";
  readonly connections?: number;
  readonly streams?: number;
  /** Calls per second, for `paced`. */
  readonly rate?: number;
}

export interface GrpcGoResult {
  readonly calls: number;
  readonly messages: number;
  readonly errors: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly firstFailure?: string;
}

/** The grpc-go program of test/bench/load. */
export async function grpcGo(
  { mode, connections = 8, streams = 16, rate = 1 }: GrpcGoOptions,
  peer: Peer,
  seconds: number,
  payloads: Payloads,
): Promise<GrpcGoResult> {
  const output = await run(loadBinary, [
    ...["-mode", mode, "-address", peer.address, "-seconds", String(seconds)],
    ...["-connections", String(connections), "-streams", String(streams), "-rate", String(rate)],
    ...["-request", mode === "stream" ? payloads.repeat : payloads.message],
  ]);
  const result = JSON.parse(output) as GrpcGoResult;
  if (result.errors > 0 || result.messages === 0) {
    throw new Error(`${result.errors} calls failed: ${result.firstFailure}`);
  }
  return result;
}

/** Messages per second of a grpc-go load. */
export function grpcGoLoad(options: GrpcGoOptions): Load {
  return {
    check: checkGrpc,
    async run(peer, seconds, payloads) {
      const result = await grpcGo(options, peer, seconds, payloads);
      return { count: result.messages, seconds: result.seconds };
    },
  };
}

/** What a peer without a port does by itself. */
export const inProcess: Load = { run: (peer, seconds) => peer.work(seconds) };

/** Runs a program to its end; after `interruptAfter` seconds it is asked to come to one. */
async function run(program: string, args: string[], interruptAfter?: number): Promise<string> {
  const [command = program, ...rest] = [...pinnedTo(LOAD_CORE), program, ...args];
  const running = promisify(execFile)(command, rest, { timeout: 300_000 });
  // wrk itself counts in whole seconds.
  const interrupt = () => running.child.kill("SIGINT");
  const timer = interruptAfter ? setTimeout(interrupt, interruptAfter * 1000) : undefined;
  try {
    return (await running).stdout;
  } catch (error) {
    // On a busy machine it may not have begun to listen to signals.
    const isTooEarly = interruptAfter && (error as { signal?: string }).signal === "SIGINT";
    if (isTooEarly) return run(program, args, interruptAfter * 2);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

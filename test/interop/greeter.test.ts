import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { credentials, loadPackageDefinition, type ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Server } from "connectum/core";
import { main as startGreeter } from "../../examples/greeter/server.ts";
import { missing, run } from "./tools.ts";

const greetings = [
  "Hello, Ada!",
  "Hello, Ada!",
  "Bonjour, Ada!",
  "Hola, Ada!",
  "Ciao, Ada!",
  "Hello, Grace!",
  "Hello, Edsger!",
];
const protoDirectory = "examples/greeter/proto";
const sayHello = "/greeter.v1.GreeterService/SayHello";

let server: Server;
let address: string;
let baseUrl: string;

before(async () => {
  server = await startGreeter(0);
  address = `127.0.0.1:${(server.address as AddressInfo).port}`;
  baseUrl = `http://${address}`;
});
after(() => server.stop());

async function curl(httpVersion: string): Promise<void> {
  const { stdout } = await run("curl", [
    "-sS",
    httpVersion,
    "-w",
    "\n%{http_version} %{http_code}",
    "-H",
    "content-type: application/json",
    "-d",
    '{"name":"Ada"}',
    baseUrl + sayHello,
  ]);
  const version = httpVersion === "--http1.1" ? "1.1" : "2";
  assert.equal(stdout, `{"greeting":"Hello, Ada!"}\n${version} 200`);
}

async function bufCurl(protocol: string): Promise<void> {
  const { status, stdout, stderr } = await run("buf", [
    "curl",
    "--protocol",
    protocol,
    "--http2-prior-knowledge",
    "--schema",
    protoDirectory,
    "-d",
    '{"name":"Ada"}',
    baseUrl + sayHello,
  ]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { greeting: "Hello, Ada!" });
}

async function grpcurlList(): Promise<void> {
  const { status, stdout, stderr } = await run("grpcurl", ["-plaintext", address, "list"]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split("\n"), [
    "greeter.v1.GreeterService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
  ]);
}

async function grpcio(): Promise<void> {
  const { status, stdout, stderr } = await run("python3", [
    "test/interop/grpcio-client.py",
    address,
    protoDirectory,
  ]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split("\n"), [...greetings, "INVALID_ARGUMENT name is empty"]);
}

const withoutCurl = missing("curl");
const withoutBuf = missing("buf");
const withoutGrpcurl = missing("grpcurl");
const withoutProbe = missing("grpc-health-probe", ["-version"]);
const withoutGrpcio = missing("python3", ["-c", "import grpc, grpc_tools"]);

describe("the greeter on one plaintext port", () => {
  test("answers curl over HTTP/1.1", { skip: withoutCurl }, () => curl("--http1.1"));
  test("answers curl over HTTP/2 with prior knowledge", { skip: withoutCurl }, () =>
    curl("--http2-prior-knowledge"),
  );
  for (const protocol of ["connect", "grpc", "grpcweb"]) {
    test(`answers buf curl ${protocol}`, { skip: withoutBuf }, () => bufCurl(protocol));
  }
  test("answers grpcurl list", { skip: withoutGrpcurl }, grpcurlList);
  test("answers every method for Python grpcio", { skip: withoutGrpcio }, grpcio);

  test("answers all of them at once", {
    skip: withoutCurl || withoutBuf || withoutGrpcurl || withoutGrpcio,
  }, async () => {
    await Promise.all([
      curl("--http1.1"),
      curl("--http2-prior-knowledge"),
      bufCurl("connect"),
      bufCurl("grpc"),
      bufCurl("grpcweb"),
      grpcurlList(),
      grpcio(),
    ]);
  });

  test("calls with grpcurl need no proto files", { skip: withoutGrpcurl }, async () => {
    const { stdout, stderr } = await run("grpcurl", [
      "-plaintext",
      "-d",
      '{"name":"Ada"}',
      address,
      sayHello.slice(1),
    ]);
    assert.deepEqual(JSON.parse(stdout || "null"), { greeting: "Hello, Ada!" }, stderr);
  });

  test("is healthy for grpc-health-probe", { skip: withoutProbe }, async () => {
    const { status, stdout, stderr } = await run("grpc-health-probe", [`-addr=${address}`]);
    assert.equal(status, 0, stdout + stderr);
  });

  test("answers every method for grpc-js", async () => {
    const definition = loadSync("greeter/v1/greeter.proto", { includeDirs: [protoDirectory] });
    const { greeter } = loadPackageDefinition(definition) as unknown as GreeterPackage;
    const client = new greeter.v1.GreeterService(address, credentials.createInsecure());
    const received: string[] = [];
    const unary = (name: string) =>
      new Promise<Greeting>((resolve, reject) =>
        client.sayHello({ name }, (error, answer) => (error ? reject(error) : resolve(answer))),
      );
    received.push((await unary("Ada")).greeting);
    for await (const { greeting } of client.sayHelloInLanguages({ name: "Ada" })) {
      received.push(greeting);
    }
    const conversation = client.converse();
    for (const name of ["Grace", "Edsger"]) conversation.write({ name });
    conversation.end();
    for await (const { greeting } of conversation) received.push(greeting);
    const invalidArgument = 3;
    await assert.rejects(unary(""), { code: invalidArgument, details: "name is empty" });
    client.close();
    assert.deepEqual(received, greetings);
  });
});

interface Greeting {
  readonly greeting: string;
}

interface GreeterClient {
  sayHello(
    request: { name: string },
    callback: (error: ServiceError | null, answer: Greeting) => void,
  ): void;
  sayHelloInLanguages(request: { name: string }): AsyncIterable<Greeting>;
  converse(): AsyncIterable<Greeting> & { write(request: { name: string }): void; end(): void };
  close(): void;
}

interface GreeterPackage {
  readonly greeter: {
    readonly v1: {
      readonly GreeterService: new (address: string, credentials: unknown) => GreeterClient;
    };
  };
}

import { connect as connectHttp2 } from "node:http2";
import { get } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { Client, credentials } from "@grpc/grpc-js";
import { createServer, defineService } from "connectum/core";
import { Healthcheck } from "connectum/healthcheck";
import { GreeterService } from "../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { greeter } from "../../examples/greeter/service.ts";
import { run } from "../interop/tools.ts";
import { createRotatingCertificate } from "./rotating-certificate.ts";

// Rotates the certificate every second under clients that open a new connection for every call. No
// handshake may fail, and the new serial must be seen soon. Usage: npm run test:rotation [-- 60]

const seconds = Number(process.argv[2] ?? 60);
const certificate = await createRotatingCertificate();
const server = createServer({
  services: [defineService(GreeterService, greeter)],
  port: 0,
  host: "127.0.0.1",
  tls: { dirPath: certificate.dirPath, reload: { intervalMs: 250 } },
  protocols: [Healthcheck({ httpEnabled: true })],
});
await server.start();
const { port } = server.address as unknown as { port: number };
const options = { ca: certificate.ca };

const clients: Record<string, () => Promise<void>> = {
  "https h1": () =>
    new Promise((resolve, reject) => {
      const url = `https://127.0.0.1:${port}/livez`;
      get(url, { ...options, agent: false }, (response) => {
        response.resume().once("end", resolve);
      }).once("error", reject);
    }),
  "http2 h2": () =>
    new Promise((resolve, reject) => {
      const session = connectHttp2(`https://127.0.0.1:${port}`, options);
      session.once("error", reject);
      session.once("remoteSettings", () => session.close(resolve));
    }),
  "grpc-js": () =>
    new Promise((resolve, reject) => {
      const client = new Client(
        `127.0.0.1:${port}`,
        credentials.createSsl(Buffer.from(certificate.ca)),
        { "grpc.use_local_subchannel_pool": 1 },
      );
      client.waitForReady(Date.now() + 10_000, (error) => {
        client.close();
        if (error) reject(error);
        else resolve();
      });
    }),
  curl: async () => {
    const { status, stderr } = await run("curl", [
      ...[
        "-sS",
        "--cacert",
        certificate.caPath,
        "-o",
        "/dev/null",
        `https://127.0.0.1:${port}/livez`,
      ],
    ]);
    if (status !== 0) throw new Error(stderr);
  },
};

const end = Date.now() + seconds * 1_000;
const rows = Object.entries(clients).map(async ([name, call]) => {
  let calls = 0;
  let failures = 0;
  while (Date.now() < end) {
    calls++;
    await call().catch((error) => {
      failures++;
      console.error(name, error);
    });
    await sleep(20);
  }
  return { name, calls, failures };
});
const grpcioArgs = [
  `127.0.0.1:${port}`,
  "examples/greeter/proto",
  certificate.caPath,
  String(seconds),
];
const grpcio = run(
  "python3",
  ["test/soak/rotation-grpcio.py", ...grpcioArgs],
  (seconds + 30) * 1_000,
).then(({ stdout, stderr }) => {
  const [calls = 0, failures = 1] = stdout.trim().split(" ").map(Number);
  if (failures > 0) console.error(stderr);
  return { name: "grpcio", calls, failures };
});

let slowestMs = 0;
while (Date.now() < end) {
  const before = await serial();
  const rotated = performance.now();
  await certificate.rotate();
  while ((await serial()) === before) await sleep(20);
  slowestMs = Math.max(slowestMs, performance.now() - rotated);
  await sleep(Math.max(0, 1_000 - (performance.now() - rotated)));
}
const results = await Promise.all([...rows, grpcio]);
await server.stop();
certificate.remove();
console.table(results);
console.log(
  `${certificate.version} certificates; a new one was seen after at most ${slowestMs.toFixed(0)} ms`,
);
const failed = results.reduce((sum, { failures }) => sum + failures, 0);
process.exit(failed === 0 && slowestMs < 2_000 ? 0 : 1);

function serial(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", ...options }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

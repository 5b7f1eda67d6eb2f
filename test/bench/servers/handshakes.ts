import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect, createServer as createTlsServer, type TlsOptions } from "node:tls";
import { createServer } from "connectum/core";
import { answerQuestions, repeat } from "./host.ts";

// Arguments: whose server shakes hands, and the directory of its certificate. Both ends are in this
// process, so their cost is part of both contenders.
const [, , name, directory = ""] = process.argv;
const key = readFileSync(`${directory}/server.key`);
const cert = readFileSync(`${directory}/server.crt`);
const port = name === "connectum" ? await startConnectum() : await startBare({ key, cert });

answerQuestions(0, (seconds) => repeat(handshake, seconds));

async function handshake(): Promise<void> {
  const socket = connect({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
  });
  await once(socket, "secureConnect");
  socket.destroy();
}

async function startConnectum(): Promise<number> {
  const server = createServer({
    services: [],
    port: 0,
    host: "127.0.0.1",
    tls: { dirPath: directory },
  });
  await server.start();
  return (server.address as AddressInfo).port;
}

async function startBare(options: TlsOptions): Promise<number> {
  const server = createTlsServer({ ...options, ALPNProtocols: ["h2", "http/1.1"] }, (socket) => {
    socket.on("error", () => {});
    socket.resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

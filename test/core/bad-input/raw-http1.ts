import { once } from "node:events";
import { type Socket, connect as tcpConnect } from "node:net";
import { connect as tlsConnect } from "node:tls";

export async function openHttp1(port: number, isTls: boolean): Promise<Socket> {
  const socket = isTls
    ? tlsConnect({
        port,
        host: "127.0.0.1",
        rejectUnauthorized: false,
        ALPNProtocols: ["http/1.1"],
      })
    : tcpConnect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, isTls ? "secureConnect" : "connect");
  return socket;
}

/** Everything that comes until the server closes. */
export async function untilClosed(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  if (!socket.destroyed) await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

import { randomBytes } from "node:crypto";
import { pathToFileURL } from "node:url";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  createProtoAuthzInterceptor,
  createSessionAuthInterceptor,
  getPublicMethods,
} from "connectum/auth";
import { createServer, defineService, type Server } from "connectum/core";
import { createClient, type RedisClientOptions } from "redis";
import { NotesService } from "./gen/notes/v1/notes_pb.js";
import { createNotes } from "./notes.ts";

export interface Session {
  readonly user: string;
  readonly scopes: readonly string[];
}

/** Sessions in Redis, each under a random token and gone after an hour. */
export async function openSessions(options: RedisClientOptions = {}) {
  const redis = createClient({ ...options, disableOfflineQueue: true });
  redis.on("error", () => {});
  await redis.connect();
  return {
    async create(session: Session): Promise<string> {
      const token = randomBytes(32).toString("base64url");
      await redis.set(`session:${token}`, JSON.stringify(session), { EX: 3600 });
      return token;
    },
    async find(token: string): Promise<Session | null> {
      const text = await redis.get(`session:${token}`).catch(() => {
        throw new ConnectError("sessions are unavailable", Code.Unavailable);
      });
      return text === null ? null : JSON.parse(text);
    },
    end: (token: string) => redis.del(`session:${token}`),
    close: () => redis.destroy(),
  };
}

export async function main(options?: RedisClientOptions, port = 5000) {
  const sessions = await openSessions(options);
  const authenticate = createSessionAuthInterceptor<Session>({
    extractToken: { cookie: "session" },
    verifySession: (token) => sessions.find(token),
    mapSession: ({ user, scopes }) => ({ subject: user, scopes }),
    skipMethods: getPublicMethods([NotesService]),
  });
  const services = [defineService(NotesService, createNotes())];
  const interceptors = [authenticate, createProtoAuthzInterceptor()];
  const server: Server = createServer({ services, port, interceptors });
  server.onShutdown(sessions.close);
  await server.start();
  return { server, sessions };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();

import { ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createLocalTransport, createServer, defineService } from "connectum/core";
import { WhoService } from "../gen/who/v1/who_pb.js";
import { bearer } from "./doors.ts";
import { who } from "./who.ts";

/** A server without a port, and a way to ask it: the subject, or the error as a client reads it. */
export function asker(...interceptors: Interceptor[]) {
  const server = createServer({ services: [defineService(WhoService, who)], interceptors });
  const client = createClient(WhoService, createLocalTransport(server));
  return async (token?: string, headers: Record<string, string> = {}): Promise<string> => {
    try {
      const all = token === undefined ? headers : { ...headers, ...bearer(token) };
      return (await client.ask({}, { headers: all })).subject;
    } catch (error) {
      return ConnectError.from(error).message;
    }
  };
}

export const FAILED = "[unauthenticated] Authentication failed";
export const MISSING = "[unauthenticated] Missing credentials";
export const UNAVAILABLE = "[unavailable] signing keys are unavailable";

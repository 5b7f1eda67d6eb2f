import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type ConnectionLifetime, withJitter } from "./connection-lifetime.ts";

/**
 * How long an idle connection that is to leave stays open: a request that is already on its way is
 * served, where closing at once would lose it.
 */
const IDLE_PATIENCE_MS = 1_000;

/** The HTTP/1.1 connections of a server: it knows which are idle, and since when. */
export class Http1Connections {
  readonly #lifetime: ConnectionLifetime;
  readonly #connections = new Map<Socket, TrackedConnection>();
  #isClosing = false;
  #isDraining = false;

  constructor(lifetime: ConnectionLifetime) {
    this.#lifetime = lifetime;
  }

  add(socket: Socket): void {
    const tracked = new TrackedConnection(socket, this.#lifetime);
    this.#connections.set(socket, tracked);
    socket.once("close", () => {
      this.#connections.delete(socket);
      tracked.release();
    });
    tracked.announceClose(this.#isClosing);
    if (this.#isDraining) tracked.leave();
  }

  /**
   * To be told of every request before it is served. The result tells, when it is answered, whether the
   * answer must carry `Connection: close`.
   */
  begin({ socket }: IncomingMessage, response: ServerResponse): () => boolean {
    const tracked = this.#connections.get(socket);
    if (!tracked) return closed;
    tracked.begin();
    response.once("close", tracked.end);
    return tracked.isClosing;
  }

  /** Whether every answer carries `Connection: close` for the time being. */
  announceClose(isClosing: boolean): void {
    this.#isClosing = isClosing;
    for (const tracked of this.#connections.values()) tracked.announceClose(isClosing);
  }

  /** Idle connections end, patiently; the others as soon as they are idle. */
  drain(): void {
    this.#isDraining = true;
    for (const tracked of this.#connections.values()) tracked.leave();
  }
}

class TrackedConnection {
  readonly #socket: Socket;
  #ageTimer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #requests = 0;
  #isClosing = false;
  #isLeaving = false;

  constructor(socket: Socket, { maxConnectionAgeMs, maxConnectionAgeGraceMs }: ConnectionLifetime) {
    this.#socket = socket;
    if (maxConnectionAgeMs === undefined) return;
    this.#ageTimer = setTimeout(() => {
      this.leave();
      if (maxConnectionAgeGraceMs === undefined) return;
      this.#ageTimer = setTimeout(() => socket.destroy(), maxConnectionAgeGraceMs);
    }, withJitter(maxConnectionAgeMs));
  }

  readonly isClosing = (): boolean => this.#isClosing || this.#isLeaving;

  announceClose(isClosing: boolean): void {
    this.#isClosing = isClosing;
  }

  begin(): void {
    this.#requests++;
    clearTimeout(this.#idleTimer);
  }

  readonly end = (): void => {
    this.#requests--;
    // An answer that began before could not say `Connection: close`, so its client comes back.
    if (this.#isLeaving) this.#closeWhenIdle();
  };

  leave(): void {
    this.#isLeaving = true;
    this.#closeWhenIdle();
  }

  release(): void {
    clearTimeout(this.#ageTimer);
    clearTimeout(this.#idleTimer);
  }

  #closeWhenIdle(): void {
    clearTimeout(this.#idleTimer);
    const socket = this.#socket;
    if (this.#requests > 0 || socket.destroyed) return;
    const { bytesRead } = socket;
    this.#idleTimer = setTimeout(() => {
      if (socket.bytesRead === bytesRead) socket.destroy();
      else this.#closeWhenIdle();
    }, IDLE_PATIENCE_MS);
  }
}

function closed(): boolean {
  return true;
}

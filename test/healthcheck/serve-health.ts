import type { TestContext } from "node:test";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type CreateServerOptions, defineService } from "connectum/core";
import {
  type HealthChange,
  HealthcheckManager,
  type HealthcheckRegistration,
} from "connectum/healthcheck";
import { createTestServer, type TestServer } from "connectum/testing";
import { Health } from "../../src/healthcheck/gen/grpc/health/v1/health_pb.js";
import { AuditService, CatalogService } from "../gen/connectum/test/v1/catalog_pb.js";

export const catalogName = CatalogService.typeName;
export const auditName = AuditService.typeName;

/** Two services of one proto file. */
export const catalog = defineService(CatalogService, {});
export const audit = defineService(AuditService, {});

export type HealthClient = Client<typeof Health>;

export function healthClient(transport: Transport): HealthClient {
  return createClient(Health, transport);
}

export interface ServedHealth extends TestServer {
  /** Over gRPC. */
  readonly client: HealthClient;
}

/** Starts a server with the catalog service and this registration. */
export async function serveHealth(
  t: TestContext,
  health: HealthcheckRegistration,
  options: Partial<CreateServerOptions> = {},
): Promise<ServedHealth> {
  const started = await createTestServer({
    t,
    services: [catalog],
    protocols: [health],
    ...options,
  });
  return { ...started, client: healthClient(createGrpcTransport({ baseUrl: started.baseUrl })) };
}

/** Options of a server whose drain a test begins and ends by {@link signalServer}. */
export const drainBySignal = {
  shutdown: { autoShutdown: true, signals: ["SIGUSR2"], timeout: 10_000, drainDelayMs: 2_000 },
} satisfies Partial<CreateServerOptions>;

/** The first one begins the stop, the second one forces its end. */
export function signalServer(): void {
  process.emit("SIGUSR2", "SIGUSR2");
}

/** The next change for which the condition holds. */
export function nextChange(
  manager: HealthcheckManager,
  condition: (change: HealthChange) => boolean,
): Promise<HealthChange> {
  return new Promise((resolve) => {
    const listener = (change: HealthChange) => {
      if (!condition(change)) return;
      manager.off("change", listener);
      resolve(change);
    };
    manager.on("change", listener);
  });
}

/** Messages of a Watch one by one, and what ends it. */
export class Watch {
  readonly #abort = new AbortController();
  readonly #iterator: AsyncIterator<{ status: number }>;

  constructor(client: HealthClient, service = "") {
    this.#iterator = client
      .watch({ service }, { signal: this.#abort.signal })
      [Symbol.asyncIterator]();
  }

  /** The next status; undefined when the stream has ended without an error. */
  async next(): Promise<number | undefined> {
    const { done, value } = await this.#iterator.next();
    return done ? undefined : value.status;
  }

  /** The client goes away. */
  leave(): void {
    this.#abort.abort();
  }
}

/** Tells when a server begins and ceases to listen, which it does while somebody watches. */
export class ObservedManager extends HealthcheckManager {
  #resolveArrived: (() => void) | undefined;
  #resolveLeft: (() => void) | undefined;
  listeners = 0;
  readonly arrived = new Promise<void>((resolve) => {
    this.#resolveArrived = resolve;
  });
  readonly left = new Promise<void>((resolve) => {
    this.#resolveLeft = resolve;
  });

  override on(...args: Parameters<HealthcheckManager["on"]>): this {
    this.listeners++;
    this.#resolveArrived?.();
    return super.on(...args);
  }

  override off(...args: Parameters<HealthcheckManager["off"]>): this {
    this.listeners--;
    this.#resolveLeft?.();
    return super.off(...args);
  }
}

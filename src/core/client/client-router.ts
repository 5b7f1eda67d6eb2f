import type { DescService } from "@bufbuild/protobuf";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { checkKeys } from "../check-options.ts";
import { CatalogConfigError } from "./catalog-config-error.ts";
import { checkTransportObject } from "./check-transport.ts";
import { DefaultTransport } from "./default-transport.ts";
import { inProcess, interceptTransport } from "./intercept-transport.ts";
import type { RemoteResolver } from "./remote-resolver.ts";

export interface ServerClientOptions {
  /** Handed to the `remoteResolver`, for one that knows several instances of a service. */
  readonly endpoint?: string;
}

/** What the router needs of its server. */
export interface ClientHost {
  readonly local: Transport;
  isMounted(typeName: string): boolean;
  readonly remoteResolver: RemoteResolver | undefined;
  readonly outgoingInterceptors: readonly Interceptor[];
}

/** Gives each client the way to its service, in this process or out of it. */
export class ClientRouter {
  readonly #host: ClientHost;
  readonly #remote = new Map<string, Transport>();
  readonly #owned = new Map<string, DefaultTransport>();
  #local: Transport | undefined;
  #closeReason: ConnectError | undefined;

  constructor(host: ClientHost) {
    this.#host = host;
  }

  client<T extends DescService>(service: T, options: ServerClientOptions = {}): Client<T> {
    checkKeys("client()", options, ["endpoint"]);
    const { typeName } = service;
    const transport = this.#host.isMounted(typeName)
      ? this.#openLocal()
      : this.#openRemote(typeName, options.endpoint);
    return createClient(service, transport);
  }

  /** Closes the transports this server made; those a user made stay open. */
  close(reason: ConnectError): void {
    this.#closeReason = reason;
    for (const transport of this.#owned.values()) transport.close(reason);
  }

  #openLocal(): Transport {
    const { local, outgoingInterceptors } = this.#host;
    this.#local ??= interceptTransport(local, outgoingInterceptors, inProcess);
    return this.#local;
  }

  #openRemote(typeName: string, endpoint: string | undefined): Transport {
    const { remoteResolver, outgoingInterceptors } = this.#host;
    if (!remoteResolver) throw new CatalogConfigError(typeName);
    const key = `${typeName}\n${endpoint ?? ""}`;
    const cached = this.#remote.get(key);
    if (cached) return cached;
    const resolved = remoteResolver({ typeName, endpoint });
    if (resolved === null) {
      const place = endpoint === undefined ? "" : ` at "${endpoint}"`;
      throw new ConnectError(`no transport to ${typeName}${place}`, Code.Unavailable);
    }
    checkTransportObject(`remoteResolver for ${typeName}`, resolved);
    const transport = this.#share(resolved);
    const baseUrl = transport instanceof DefaultTransport ? transport.baseUrl : unknownBaseUrl;
    const target = { baseUrl, transport: "http" } as const;
    const intercepted = interceptTransport(transport, outgoingInterceptors, target);
    this.#remote.set(key, intercepted);
    return intercepted;
  }

  /** Services behind one base URL share its connection. */
  #share(transport: Transport): Transport {
    if (!(transport instanceof DefaultTransport)) return transport;
    const present = this.#owned.get(transport.baseUrl);
    if (present) return present;
    this.#owned.set(transport.baseUrl, transport);
    if (this.#closeReason) transport.close(this.#closeReason);
    return transport;
  }
}

/** A transport does not tell where it leads. */
const unknownBaseUrl = "https://remote";

import { readyPath } from "../service.ts";
import { type Backend, type Balancer, type FrontPorts, startBalancer } from "./balancer.ts";

/** Without a host Node refuses the check over HTTP/2. */
const check = `option httpchk
  http-check send meth GET uri ${readyPath} ver HTTP/1.1 hdr host localhost`;

/** Over TLS haproxy 2.6 checks with HTTP/1.1 only: over HTTP/2 its check never sends a request. */
const tlsCheck = "check-ssl verify none check-alpn http/1.1 check-proto h1";

/** haproxy in HTTP mode: reuses upstream connections, checks readiness, retries as it does by default. */
export function startHaproxy(backends: readonly Backend[], ports: FrontPorts): Promise<Balancer> {
  const pool = (version: 1 | 2) => `backend http${version}_replicas
  http-reuse safe
  ${check}
  ${servers(backends, version, version === 2 ? "proto h2 check-proto h2" : "")}`;
  return start(
    `
  mode http
${frontend("grpc", ports.grpc, 2)}
${frontend("http1", ports.http1, 1)}
${frontend("http2", ports.http2, 2)}
${pool(1)}
${pool(2)}
`,
    ports,
  );
}

/** haproxy in TCP mode: knows nothing but connections and readiness. */
export function startTcpHaproxy(
  backends: readonly Backend[],
  ports: FrontPorts,
  isTls: boolean,
): Promise<Balancer> {
  const pool = (version: 1 | 2) => `backend http${version}_replicas
  ${check}
  ${servers(backends, version, isTls ? tlsCheck : `check-proto h${version}`)}`;
  return start(
    `
  mode tcp
${frontend("grpc", ports.grpc, 2)}
${frontend("http1", ports.http1, 1)}
${frontend("http2", ports.http2, 2)}
${pool(1)}
${pool(2)}
`,
    ports,
  );
}

function start(body: string, ports: FrontPorts): Promise<Balancer> {
  return startBalancer(
    {
      command: "haproxy",
      args: (configFile) => ["-db", "-f", configFile],
      config: () => `
global
  maxconn 2000
  nbthread 1
defaults
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout check 2s
  log stderr format raw daemon
${body}`,
    },
    ports,
  );
}

function frontend(name: keyof FrontPorts, port: number, version: 1 | 2): string {
  return `frontend ${name}
  bind 127.0.0.1:${port}
  default_backend http${version}_replicas`;
}

function servers(backends: readonly Backend[], version: 1 | 2, options: string): string {
  return backends
    .map(({ name, http1Port, http2Port }) => {
      const port = version === 1 ? http1Port : http2Port;
      return `server ${name} 127.0.0.1:${port} check inter 500ms fall 2 rise 1 ${options}`;
    })
    .join("\n  ");
}

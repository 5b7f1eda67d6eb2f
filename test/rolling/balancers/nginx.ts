import { type Backend, type Balancer, type FrontPorts, startBalancer } from "./balancer.ts";

/**
 * nginx as it is commonly set up: upstream keepalive, and its own defaults for retries. It has no health
 * checks, so it finds out by itself. `fail_timeout` is shorter than the default 10 s only to shorten the
 * wait for a restarted replica.
 */
export function startNginx(backends: readonly Backend[], ports: FrontPorts): Promise<Balancer> {
  return startBalancer(
    {
      command: "nginx",
      args: (configFile, directory) => ["-p", directory, "-e", "stderr", "-c", configFile],
      config: (directory) => config(directory, backends, ports),
    },
    ports,
  );
}

function config(directory: string, backends: readonly Backend[], ports: FrontPorts): string {
  const servers = (version: "http1Port" | "http2Port") =>
    backends
      .map((backend) => `server 127.0.0.1:${backend[version]} fail_timeout=1s;`)
      .join("\n    ");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${directory}/${kind};`)
    .join("\n  ");
  const proxy = `location / {
      proxy_pass http://http1_replicas;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }`;
  return `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log stderr info;
events { worker_connections 2048; }
http {
  access_log off;
  ${temporary}
  # Otherwise nginx ends each client connection after 1000 requests, which some clients do not survive.
  keepalive_requests 10000000;
  upstream http1_replicas {
    ${servers("http1Port")}
    keepalive 64;
  }
  upstream grpc_replicas {
    ${servers("http2Port")}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${ports.grpc} http2;
    location / { grpc_pass grpc://grpc_replicas; }
  }
  server {
    listen 127.0.0.1:${ports.http1};
    ${proxy}
  }
  server {
    listen 127.0.0.1:${ports.http2} http2;
    ${proxy}
  }
}
`;
}

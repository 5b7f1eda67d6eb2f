import { createServer, defineService, createLocalTransport } from "connectum/core";
import * as I from "connectum/interceptors";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { EchoService } from "/tmp/wt/interceptors/test/gen/connectum/bench/v1/echo_pb.js";
const echo = { echo: ({ text, payload }: any) => ({ text, payload }) };
const none: any = Object.fromEntries(["errorHandler","timeout","bulkhead","circuitBreaker","retry","validation"].map((k) => [k, false]));
const variants: Record<string, any[]> = { bare: [], pass: [(n: any) => n], pass6: Array(6).fill((n: any) => async (r: any) => n(r)) };
for (const k of Object.keys(none)) variants[k] = I.createDefaultInterceptors({ ...none, [k]: true });
variants.chain = I.createDefaultInterceptors();
const only = process.argv[2]?.split(",");
const clients = Object.entries(variants).filter(([k]) => !only || only.includes(k)).map(([name, interceptors]) => {
  const server = createServer({ services: [defineService(EchoService, echo)], interceptors });
  return [name, createClient(EchoService, createLocalTransport(server)), [] as number[]] as const;
});
if (process.argv[3]) { for (const [n, ic] of [["router",[]],["routerchain",I.createDefaultInterceptors()]] as const)
  clients.push([n, createClient(EchoService, createRouterTransport((r) => void r.service(EchoService, echo as any), { router: { interceptors: ic as any } })), []] as any); }
const N = 20000;
for (const [, c] of clients) for (let i = 0; i < N; i++) await c.echo({ text: "a message" });
for (let round = 0; round < 7; round++) for (const [name, c, list] of clients) {
  const n = name.startsWith("router") ? 2000 : N;
  const before = process.cpuUsage(); 
  for (let i = 0; i < n; i++) await c.echo({ text: "a message" });
  const { user, system } = process.cpuUsage(before);
  list.push((user + system) / n);
}
for (const [name, , list] of clients) console.log(name.padEnd(16), list.sort((a, b) => a - b)[3].toFixed(2), "us min", list[0].toFixed(2));
process.exit(0);

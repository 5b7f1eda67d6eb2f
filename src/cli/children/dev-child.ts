import { type AddressInfo, Server } from "node:net";

/** What the child tells: it listens, and where. */
export interface ListeningMessage {
  readonly listening: AddressInfo | string | null;
}

// Loaded into the process that `connectum dev` runs, before the entry.
const { listen } = Server.prototype;
Server.prototype.listen = function (this: Server, ...args: unknown[]) {
  this.once("listening", () => process.send?.({ listening: this.address() }));
  return (listen as (...args: unknown[]) => Server).apply(this, args);
};

// The one who started us is gone, perhaps killed: nobody else would end this process.
process.once("disconnect", () => {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 5_000).unref();
});
process.channel?.unref();

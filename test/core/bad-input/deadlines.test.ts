import assert from "node:assert/strict";
import { defineService } from "connectum/core";
import { LoadService } from "../../gen/connectum/load/v1/load_pb.js";
import { echo, service, wires } from "./rpc.ts";
import { onEverySite } from "./sites.ts";

const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;

onEverySite("a deadline of zero is deadline_exceeded", {}, async (site) => {
  for (const wire of wires) {
    const value = wire.isEnveloped ? "0m" : "0";
    const answer = await echo(site, wire, { headers: { [wire.timeoutHeader]: value } });
    assert.equal(wire.status(answer), DEADLINE_EXCEEDED, wire.name);
  }
});

onEverySite("a deadline that is negative or no number is invalid_argument", {}, async (site) => {
  for (const wire of wires) {
    const values = wire.isEnveloped
      ? ["-1S", "soon", "1", "S", "1.5S", "1X", "123456789S"]
      : ["-1", "soon", "1s", "1.5", "0x10", "12345678901"];
    for (const value of values) {
      const answer = await echo(site, wire, { headers: { [wire.timeoutHeader]: value } });
      assert.equal(wire.status(answer), INVALID_ARGUMENT, `${wire.name} ${value}`);
    }
  }
});

const longest = { grpc: "99999999H", connect: "9999999999" };

onEverySite("an absurd deadline does no harm", {}, async (site) => {
  for (const wire of wires) {
    const value = wire.isEnveloped ? longest.grpc : longest.connect;
    const answer = await echo(site, wire, { headers: { [wire.timeoutHeader]: value } });
    assert.equal(wire.status(answer), 0, wire.name);
  }
});

const seen: Array<number | undefined> = [];
const reporting = defineService(LoadService, {
  echo: ({ text }, { timeoutMs }) => {
    seen.push(timeoutMs());
    return { text };
  },
});

onEverySite(
  "a deadline longer than maxTimeoutMs is shortened to it",
  { maxTimeoutMs: 20_000, services: [reporting] },
  async (site) => {
    for (const wire of wires) {
      const value = wire.isEnveloped ? longest.grpc : longest.connect;
      const text = `${service} ${wire.name}`;
      seen.length = 0;
      const answer = await echo(site, wire, { headers: { [wire.timeoutHeader]: value } });
      assert.equal(wire.status(answer), 0, text);
      // Healthy clients run beside, with a shorter deadline of their own.
      assert.ok(seen.length > 0 && seen.every((ms) => ms !== undefined && ms <= 20_000), text);
    }
  },
);

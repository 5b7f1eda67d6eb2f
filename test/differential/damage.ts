import { READ_MAX_BYTES } from "./peer.ts";
import type { Random } from "./random.ts";

type Damaged = [name: string, body: Buffer];

/** A body as a broken client, or a hostile one, would send it. */
export function damageBody(random: Random, body: Buffer, isBare: boolean): Damaged {
  const anywhere: Array<() => Damaged> = [
    () => ["truncated", body.subarray(0, random.integer(0, body.byteLength))],
    () => ["empty", Buffer.alloc(0)],
    () => ["followed by garbage", Buffer.concat([body, random.bytes(random.integer(1, 20))])],
    () => ["a byte flipped", flip(random, body)],
    () => ["garbage", random.bytes(random.integer(1, 40))],
    () => ["no UTF-8", Buffer.concat([body, Buffer.from([0xc3, 0x28])])],
    () => ["larger than allowed", Buffer.concat([body, Buffer.alloc(READ_MAX_BYTES + 1)])],
    () => ["half of a JSON text", Buffer.from('{"content":')],
  ];
  const inEnvelopes: Array<() => Damaged> = [
    () => ["odd flags", withFlags(body, random.pick([1, 2, 3, 4, 0x80, 0x81, 0xff]))],
    () => ["length too small", withLength(body, (length) => Math.max(0, length - 1))],
    () => ["length too large", withLength(body, (length) => length + 1)],
    () => ["length over the limit", withLength(body, () => READ_MAX_BYTES + 1)],
    () => ["length at the limit", withLength(body, () => READ_MAX_BYTES)],
    () => ["length of 4 GiB", withLength(body, () => 0xffff_ffff)],
    () => ["an empty message more", Buffer.concat([body, Buffer.alloc(5)])],
    () => ["an end message", Buffer.concat([body, Buffer.from([2, 0, 0, 0, 2, 0x7b, 0x7d])])],
    () => ["a trailer message", Buffer.concat([body, Buffer.from([0x80, 0, 0, 0, 0])])],
    () => ["half a prefix", Buffer.concat([body, Buffer.from([0, 0, 0])])],
  ];
  return random.pick(isBare ? anywhere : [...anywhere, ...inEnvelopes, ...inEnvelopes])();
}

/** Changes the query of a Connect GET in place. */
export function damageQuery(random: Random, query: Array<[string, string]>): void {
  const index = random.integer(0, query.length - 1);
  const pair = query[index] as [string, string];
  switch (random.pick(["drop", "double", "value", "more", "base64"])) {
    case "drop":
      query.splice(index, 1);
      break;
    case "double":
      query.push([pair[0], random.pick([pair[1], "", "x"])]);
      break;
    case "value":
      pair[1] = random.pick(["", "x", "0", "true", "JSON", "v2", "%", "{}", "AQ==", "*"]);
      break;
    case "more":
      query.push([random.pick(["x", "", "Message"]), "y"]);
      break;
    default:
      query.push(["base64", random.pick(["1", "0", "true", ""])]);
  }
}

function flip(random: Random, body: Buffer): Buffer {
  if (body.byteLength === 0) return body;
  const flipped = Buffer.from(body);
  const index = random.integer(0, body.byteLength - 1);
  flipped[index] = (flipped[index] as number) ^ (1 << random.integer(0, 7));
  return flipped;
}

function withFlags(body: Buffer, flags: number): Buffer {
  return Buffer.concat([Buffer.from([flags]), body.subarray(1)]);
}

/** With another length in the first envelope. */
function withLength(body: Buffer, change: (length: number) => number): Buffer {
  if (body.byteLength < 5) return body;
  const changed = Buffer.from(body);
  changed.writeUInt32BE(change(changed.readUInt32BE(1)), 1);
  return changed;
}

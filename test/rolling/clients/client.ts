import { targetOf } from "./caller.ts";
import { type ConnectNodeKind, connectNodeCaller } from "./connect-node.ts";
import { grpcJsCaller } from "./grpc-js.ts";
import { runLoad } from "./load.ts";

// Usage: client.ts KIND HOST:PORT MAX_PAUSE_MS [CA_FILE]. Prints "ready" after its first answers; ends when standard
// input does, with a report as the last line. clients/grpcio.py keeps the same contract.
const [kind = "", authority = "", maxPauseMs = "", caFile] = process.argv.slice(2);
const target = targetOf(authority, caFile);

let isOver = false;
process.stdin.resume().once("end", () => {
  isOver = true;
});
const caller =
  kind === "grpc-js" ? grpcJsCaller(target) : connectNodeCaller(kind as ConnectNodeKind, target);
const report = await runLoad(caller, {
  maxPauseMs: Number(maxPauseMs),
  isOver: () => isOver,
  onFirstAnswers: () => console.log("ready"),
});
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());

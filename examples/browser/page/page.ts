import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { LaunchService } from "../gen/launch/v1/launch_pb.js";

/** Set when the page is bundled. */
declare const API_URL: string;

const SECONDS = 10;

const transports: Record<string, Transport> = {
  connect: createConnectTransport({ baseUrl: API_URL, useHttpGet: true }),
  "grpc-web": createGrpcWebTransport({ baseUrl: API_URL }),
};
const names: Record<string, string> = { connect: "Connect", "grpc-web": "gRPC-Web" };

const form = element("form", HTMLFormElement);
const mission = element("mission", HTMLInputElement);
const abort = element("abort", HTMLButtonElement);
const launch = element("launch", HTMLButtonElement);

element("prepare", HTMLButtonElement).addEventListener("click", () =>
  show("Prepare", async ({ protocol, onMessage }) => {
    const { pad, aborted } = await clientFor(protocol).prepare({ mission: mission.value });
    onMessage();
    return `pad ${pad}, ${aborted} aborted`;
  }),
);

launch.addEventListener("click", () =>
  show("CountDown", async ({ protocol, onMessage }) => {
    const leaving = new AbortController();
    abort.onclick = () => leaving.abort();
    [launch.disabled, abort.disabled] = [true, false];
    try {
      const request = { mission: mission.value, seconds: SECONDS };
      const options = { signal: leaving.signal };
      for await (const message of clientFor(protocol).countDown(request, options)) {
        onMessage();
        turnDial(message.remaining, message.announcement);
      }
      return `${mission.value} has left`;
    } catch (error) {
      turnDial(undefined, "Ready");
      throw error;
    } finally {
      [launch.disabled, abort.disabled] = [false, true];
    }
  }),
);

function clientFor(protocol: string) {
  return createClient(LaunchService, transports[protocol] as Transport);
}

interface Call {
  readonly protocol: string;
  /** Counts a message that has arrived. */
  onMessage(): void;
}

/** A row for each call, newest first. */
async function show(method: string, run: (call: Call) => Promise<string>): Promise<void> {
  const protocol = String(new FormData(form).get("protocol"));
  const row = element("calls", HTMLTableSectionElement).insertRow(0);
  const cells = [method, names[protocol], "0", "…"].map((text) => {
    const cell = row.insertCell();
    cell.textContent = text ?? "";
    return cell;
  });
  const [, , count, outcome] = cells as [unknown, unknown, HTMLElement, HTMLElement];
  try {
    const onMessage = () => {
      count.textContent = String(Number(count.textContent) + 1);
    };
    outcome.textContent = await run({ protocol, onMessage });
    outcome.className = "ok";
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    outcome.textContent = code === Code.Canceled ? "aborted" : `${Code[code]}: ${rawMessage}`;
    outcome.className = "failed";
  }
}

function turnDial(remaining: number | undefined, announcement: string): void {
  element("remaining", HTMLOutputElement).textContent = String(remaining ?? "–");
  if (announcement) element("announcement", HTMLParagraphElement).textContent = announcement;
  const { style } = document.getElementById("arc") as unknown as SVGCircleElement;
  style.opacity = remaining ? "1" : "0";
  style.strokeDashoffset = String(1 - (remaining ?? 0) / SECONDS);
}

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`#${id} is not in the page`);
  return found;
}

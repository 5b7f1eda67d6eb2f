import type {
  handleUnaryCall,
  ServerDuplexStream,
  ServerWritableStream,
  ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadPackageDefinition, Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { answerQuestions } from "./host.ts";

interface Echo {
  text: string;
  payload: Buffer;
}

interface Repeat {
  text: string;
  count: number;
}

// The proto file stands in an environment variable: this script runs from another folder than its source.
const definition = loadPackageDefinition(loadSync(process.env.BENCH_PROTO as string));
const { connectum } = definition as unknown as {
  connectum: { bench: { v1: { EchoService: ServiceClientConstructor } } };
};

const echo: handleUnaryCall<Echo, Echo> = ({ request: { text, payload } }, callback) => {
  callback(null, { text, payload });
};

async function repeat(call: ServerWritableStream<Repeat, { text: string }>): Promise<void> {
  const { text, count } = call.request;
  for (let index = 0; index < count; index++) {
    if (!call.write({ text })) await new Promise((resolve) => call.once("drain", resolve));
  }
  call.end();
}

function converse(call: ServerDuplexStream<{ text: string }, { text: string }>): void {
  call.on("data", ({ text }) => call.write({ text }));
  call.on("end", () => call.end());
}

const server = new Server();
server.addService(connectum.bench.v1.EchoService.service, { echo, repeat, converse });
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  answerQuestions(port);
});

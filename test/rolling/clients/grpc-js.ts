import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import {
  SayHelloInLanguagesRequestSchema,
  SayHelloInLanguagesResponseSchema,
  SayHelloRequestSchema,
  SayHelloResponseSchema,
} from "../../../examples/greeter/gen/greeter/v1/greeter_pb.js";
import { type Caller, callLimitMs, type Target } from "./caller.ts";

const service = "/greeter.v1.GreeterService/";

/** grpc-js with its default channel options: no retry policy, transparent retries. */
export function grpcJsCaller({ authority, ca }: Target): Caller {
  const credentials = ca ? grpc.credentials.createSsl(ca) : grpc.credentials.createInsecure();
  const client = new grpc.Client(authority, credentials);
  const options = () => ({ deadline: Date.now() + callLimitMs });
  return {
    unary(name) {
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          `${service}SayHello`,
          (text: string) =>
            bytesOf(toBinary(SayHelloRequestSchema, create(SayHelloRequestSchema, { name: text }))),
          (bytes) => fromBinary(SayHelloResponseSchema, bytes).greeting,
          name,
          new grpc.Metadata(),
          options(),
          (error, greeting) => (error ? reject(error) : resolve(greeting ?? "")),
        );
      });
    },
    stream(name) {
      return client.makeServerStreamRequest(
        `${service}SayHelloInLanguages`,
        (text: string) =>
          bytesOf(
            toBinary(
              SayHelloInLanguagesRequestSchema,
              create(SayHelloInLanguagesRequestSchema, { name: text }),
            ),
          ),
        (bytes) => fromBinary(SayHelloInLanguagesResponseSchema, bytes).greeting,
        name,
        new grpc.Metadata(),
        options(),
      ) as AsyncIterable<string>;
    },
  };
}

function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export { collectFileProtos } from "./collect-file-protos.ts";
export { ServerReflection } from "./gen/grpc/reflection/v1/reflection_pb.js";
export { Reflection, type ReflectionOptions } from "./reflection.ts";

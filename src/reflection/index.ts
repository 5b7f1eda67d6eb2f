export { collectFileProtos } from "./collect-file-protos.ts";
export { ServerReflection } from "./gen/grpc/reflection/v1/reflection_pb.js";
export { ServerReflection as ServerReflectionV1Alpha } from "./gen/grpc/reflection/v1alpha/reflection_pb.js";
export { Reflection, type ReflectionOptions } from "./reflection.ts";

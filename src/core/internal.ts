export { checkInteger, checkKeys, checkMs, nearest, show } from "./check-options.ts";
export { interceptorExtension } from "./extend-interceptor.ts";
export { silentLogger } from "./logger.ts";
export type { Call } from "./rpc/call.ts";
export { type CallObserver, observeCalls } from "./rpc/call-observer.ts";
export { callOfRequest } from "./rpc/call-request.ts";

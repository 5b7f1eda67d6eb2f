export {
  checkBoolean,
  checkEnum,
  checkFunction,
  checkInteger,
  checkKeys,
  checkList,
  checkMethods,
  checkMs,
  checkNumber,
  checkObject,
  checkOneOf,
  checkText,
  nearest,
  show,
} from "./check-options.ts";
export { callerValuesKey, callSpanKey } from "./context-keys.ts";
export { codeName } from "./doors/connect-error.ts";
export { interceptorExtension, wrappedInterceptors } from "./extend-interceptor.ts";
export { filesOf } from "./files-of.ts";
export { type MountedMethod, mountedMethods } from "./local/mounted-methods.ts";
export { checkLogger, silentLogger } from "./logger.ts";
export {
  checkMethodPatterns,
  comparePatterns,
  infrastructureMethods,
  isMethodPattern,
  matchesMethodPattern,
  methodMatcher,
  methodName,
} from "./method-pattern.ts";
export { type Call, deadlineExceeded, MAX_TIMER_MS } from "./rpc/call.ts";
export { type CallObserver, observeCalls } from "./rpc/call-observer.ts";
export { callOfRequest } from "./rpc/call-request.ts";
export { type AnyFn, type AnyRequest, type AnyResponse, compose } from "./rpc/chain.ts";
export { REQUEST_ID_HEADER } from "./rpc/request-id.ts";
export { internalError, isAbortError, markLogged, toRpcError } from "./rpc/rpc-error.ts";
export { deleteHeadersWithPrefix } from "./rpc/rpc-headers.ts";

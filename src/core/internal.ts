export { checkInteger, checkKeys, checkMs, nearest, show } from "./check-options.ts";
export { interceptorExtension } from "./extend-interceptor.ts";

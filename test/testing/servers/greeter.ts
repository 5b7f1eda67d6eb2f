import { buildServer as buildGreeter } from "../../../examples/greeter/server.ts";

export const buildServer = () => buildGreeter(0);

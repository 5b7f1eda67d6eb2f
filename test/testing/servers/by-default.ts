import { buildServer } from "../../../examples/greeter/server.ts";

// biome-ignore lint/style/noDefaultExport: one of the two forms that the suites load
export default buildServer(0);

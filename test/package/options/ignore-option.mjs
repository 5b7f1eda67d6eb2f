import { register } from "node:module";

register("./ignore-hook.mjs", import.meta.url);

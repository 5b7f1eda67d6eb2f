// Imported when a word is wrong: with it comes a part of core that most commands do without.
export { nearest } from "../core/internal.ts";

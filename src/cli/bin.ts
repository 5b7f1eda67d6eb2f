#!/usr/bin/env node
import { main } from "./main.ts";

// A reader that had enough (`| head -1`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

// For developers of this command; Node 18 has one for every TLS connection to an IP address.
process.noDeprecation = true;

process.exitCode = await main(process.argv.slice(2));

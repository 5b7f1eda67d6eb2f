import { readFile } from "node:fs/promises";
import { createSecureContext, type Server } from "node:tls";
import type { Logger } from "./logger.ts";
import {
  certificateFiles,
  readTLSCertificates,
  secureContextOptions,
  type TLSOptions,
} from "./tls.ts";

/**
 * Watches the files of a server's certificates and swaps changed ones in; open connections stay. Files
 * that are broken, do not belong together or are expired change nothing: one warning, and the next
 * look tries again. Contents are compared, so the symlink swap of a Kubernetes secret is seen.
 */
export class TLSReloader {
  readonly #options: TLSOptions;
  readonly #server: Server;
  readonly #logger: Logger;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #current = "";
  /** Contents that were refused, so that they are reported once. */
  #refused = "";
  #isStopped = false;

  constructor(options: TLSOptions, server: Server, logger: Logger, intervalMs: number) {
    this.#options = options;
    this.#server = server;
    this.#logger = logger;
    this.#intervalMs = intervalMs;
  }

  /** Begins with the files as they are now, which the server has read just before. */
  async start(): Promise<void> {
    this.#current = (await this.#read()) ?? "";
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#check(), this.#intervalMs);
    this.#timer.unref?.();
  }

  async #check(): Promise<void> {
    const contents = await this.#read();
    if (contents !== undefined && contents !== this.#current && !this.#isStopped) {
      this.#swap(contents);
    }
    this.#schedule();
  }

  #swap(contents: string): void {
    try {
      const options = secureContextOptions(this.#options, readTLSCertificates(this.#options));
      // setSecureContext() leaves the server broken when it throws, so the context is tried before.
      createSecureContext(options);
      this.#server.setSecureContext(options);
      this.#current = contents;
      this.#logger.info({ files: certificateFiles(this.#options) }, "TLS certificates reloaded");
    } catch (error) {
      if (this.#refused === contents) return;
      this.#refused = contents;
      this.#logger.warn(
        { err: error },
        "changed TLS files are not usable; the certificate in use stays",
      );
    }
  }

  /** All contents as one text, or undefined when a file is missing at the moment. */
  async #read(): Promise<string | undefined> {
    try {
      const files = await Promise.all(
        certificateFiles(this.#options).map((file) => readFile(file, "latin1")),
      );
      return files.join("\0");
    } catch (error) {
      const reason = (error as Error).message;
      if (this.#refused !== reason) {
        this.#refused = reason;
        this.#logger.warn({ err: error }, "TLS files cannot be read; the certificate in use stays");
      }
      return undefined;
    }
  }
}

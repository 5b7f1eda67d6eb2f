import * as zlib from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { checkFunction, checkInteger, checkKeys, checkList, checkObject } from "./check-options.ts";

export interface CompressionOptions {
  /**
   * Offered to clients in this order, for example `compressionGzip` of @connectrpc/connect-node. Default gzip, br, and
   * zstd where node:zlib has it.
   */
  readonly accept?: readonly Compression[];
  /** Smaller messages go out uncompressed. Default 1024. */
  readonly minBytes?: number;
}

/** What four bytes of length can say, and what a Buffer of every supported Node holds. */
export const MAX_MESSAGE_BYTES = 0xffff_ffff;

export function resolveCompression(options: CompressionOptions) {
  checkKeys("compression", options, ["accept", "minBytes"]);
  const { accept = supportedCompressions(), minBytes = 1024 } = options;
  checkList("compression.accept", accept, checkCompression);
  checkInteger("compression.minBytes", minBytes, 0, MAX_MESSAGE_BYTES);
  return { accept: [...accept], minBytes };
}

function checkCompression(name: string, compression: Compression): void {
  checkObject(name, compression);
  checkFunction(`${name}.compress`, compression.compress);
  checkFunction(`${name}.decompress`, compression.decompress);
}

interface ZlibOptions {
  readonly maxOutputLength?: number;
  readonly params?: Readonly<Record<number, number>>;
}

type ZlibFunction = (
  data: Uint8Array,
  options: ZlibOptions,
  callback: (error: Error | null, result: Buffer<ArrayBuffer>) => void,
) => void;

// The types of node:zlib are those of the oldest supported Node, which lacks zstd.
const { zstdCompress, zstdDecompress } = zlib as {
  zstdCompress?: ZlibFunction;
  zstdDecompress?: ZlibFunction;
};

/** What this Node offers, best known first: gzip, br, and zstd from Node 22.15. */
function supportedCompressions(): Compression[] {
  const compressions = [
    fromZlib("gzip", zlib.gzip as ZlibFunction, zlib.gunzip as ZlibFunction),
    fromZlib(
      "br",
      zlib.brotliCompress as ZlibFunction,
      zlib.brotliDecompress as ZlibFunction,
      brotliOptions,
    ),
  ];
  if (zstdCompress && zstdDecompress) {
    compressions.push(fromZlib("zstd", zstdCompress, zstdDecompress));
  }
  return compressions;
}

/** Node's default of 11 is made for files: many times slower for a few bytes less. */
const brotliOptions = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };

function fromZlib(
  name: string,
  compress: ZlibFunction,
  decompress: ZlibFunction,
  compressOptions: ZlibOptions = {},
): Compression {
  return {
    name,
    compress: (bytes) => run(compress, bytes, compressOptions),
    async decompress(bytes, readMaxBytes) {
      // An empty message needs no compressed form, and zlib has none for it on every Node.
      if (bytes.byteLength === 0) return new Uint8Array(0);
      // zlib refuses a limit of 0, so an empty limit is 1 byte plus the check below.
      const maxOutputLength = Math.max(1, Math.min(readMaxBytes, MAX_MESSAGE_BYTES));
      let inflated: Uint8Array<ArrayBuffer>;
      try {
        inflated = await run(decompress, bytes, { maxOutputLength });
      } catch (error) {
        throw decompressionError(name, error, readMaxBytes);
      }
      if (inflated.byteLength > readMaxBytes) throw tooLarge(readMaxBytes);
      return inflated;
    },
  };
}

function run(
  transform: ZlibFunction,
  bytes: Uint8Array,
  options: ZlibOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    transform(bytes, options, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

function decompressionError(name: string, error: unknown, readMaxBytes: number): ConnectError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ERR_BUFFER_TOO_LARGE") return tooLarge(readMaxBytes);
  return new ConnectError(
    `message is not valid ${name}`,
    Code.InvalidArgument,
    undefined,
    undefined,
    error,
  );
}

function tooLarge(readMaxBytes: number): ConnectError {
  return new ConnectError(
    `message is larger than readMaxBytes ${readMaxBytes} once decompressed`,
    Code.ResourceExhausted,
  );
}

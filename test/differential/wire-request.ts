export type Fields = ReadonlyArray<readonly [name: string, value: string]>;

/** One HTTP request, byte for byte but for what HTTP/1.1 and HTTP/2 say differently. */
export interface WireRequest {
  readonly label: string;
  readonly version: 1 | 2;
  readonly method: string;
  readonly path: string;
  readonly headers: Fields;
  readonly body: Buffer;
  /** Where the body is cut into writes. */
  readonly cuts?: readonly number[];
  /** What the oracle gets instead, where it does not know the form of ours. */
  readonly forOracle?: { readonly headers: Fields; readonly body: Buffer };
}

export function headerOf(fields: Fields, name: string): string | undefined {
  return fields.find(([key]) => key.toLowerCase() === name)?.[1];
}

/** The parts of a body, as they are written. */
export function writesOf({ body, cuts = [] }: Pick<WireRequest, "body" | "cuts">): Buffer[] {
  const ends = [...cuts, body.byteLength].filter((end) => end <= body.byteLength);
  ends.sort((a, b) => a - b);
  const writes = ends.map((end, index) => body.subarray(ends[index - 1] ?? 0, end));
  return writes.filter(({ byteLength }) => byteLength > 0);
}

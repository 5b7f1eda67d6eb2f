/** What must be encoded: `%` itself, all but printable ASCII, and spaces that HTTP would trim. */
const unsafe = /^ +| +$|[^ -~]|%/gu;

/** Any text as a header value: printable ASCII as it is, the rest percent-encoded UTF-8. */
export function encodeHeaderText(text: string): string | undefined {
  try {
    return text.replace(unsafe, encodeURIComponent);
  } catch {
    // A lone surrogate, which is no text in any encoding.
    return undefined;
  }
}

/** The text of a header value. Throws a URIError for a value that was not encoded so. */
export function decodeHeaderText(value: string): string {
  return value.includes("%") ? decodeURIComponent(value) : value;
}

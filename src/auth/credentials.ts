/** The token of `authorization: Bearer <token>`; the scheme's case does not matter. */
export function bearerToken(header: Headers): string | undefined {
  const value = header.get("authorization");
  if (value === null || value.length < 8 || value[6] !== " ") return undefined;
  if (value.slice(0, 6).toLowerCase() !== "bearer") return undefined;
  return value.slice(7).trim() || undefined;
}

/** A cookie's value as it was sent; of several with one name the first. */
export function cookie(header: Headers, name: string): string | undefined {
  for (const pair of (header.get("cookie") ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals).trim() === name) {
      return pair.slice(equals + 1).trim() || undefined;
    }
  }
  return undefined;
}

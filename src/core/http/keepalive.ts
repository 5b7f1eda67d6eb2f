import type { ServerHttp2Session } from "node:http2";

export interface KeepaliveTimes {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/**
 * Pings the peer every interval and destroys the session of one that neither answers nor sends anything
 * else within the timeout. Returns how to end it.
 */
export function watchPeer(
  session: ServerHttp2Session,
  connection: { readonly bytesRead: number },
  { intervalMs, timeoutMs }: KeepaliveTimes,
): () => void {
  let timer = setTimeout(ping, intervalMs);

  function ping(): void {
    // Destroyed, but not closed yet.
    if (session.destroyed) return;
    waitForAnswer();
    session.ping((error) => {
      if (error || session.destroyed) return;
      clearTimeout(timer);
      timer = setTimeout(ping, intervalMs);
    });
  }

  /** The answer of a peer that sends a lot stands in a queue; what arrives before it is a sign of life. */
  function waitForAnswer(): void {
    const { bytesRead } = connection;
    timer = setTimeout(() => {
      if (connection.bytesRead === bytesRead) session.destroy();
      else waitForAnswer();
    }, timeoutMs);
  }

  return () => clearTimeout(timer);
}

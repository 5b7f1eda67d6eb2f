const IDLE_MS = 1_000;

/**
 * Passes the requests on. Once the server shuts down, it ends when no request has come for a second,
 * so that a tool which keeps its stream open (grpcui does) cannot hold up the stop.
 */
export async function* untilIdle<T>(
  requests: AsyncIterable<T>,
  shutdownSignal: AbortSignal,
): AsyncGenerator<T> {
  const iterator = requests[Symbol.asyncIterator]();
  try {
    while (true) {
      const next = await nextOrIdle(iterator, shutdownSignal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: after idling, a next() is pending that may never settle.
    iterator.return?.().catch(() => {});
  }
}

function nextOrIdle<T>(
  iterator: AsyncIterator<T>,
  shutdownSignal: AbortSignal,
): Promise<IteratorResult<T>> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const startTimer = () => {
      timer = setTimeout(resolve, IDLE_MS, { done: true, value: undefined });
    };
    if (shutdownSignal.aborted) startTimer();
    else shutdownSignal.addEventListener("abort", startTimer, { once: true });
    const cleanUp = () => {
      shutdownSignal.removeEventListener("abort", startTimer);
      clearTimeout(timer);
    };
    iterator.next().then(resolve, reject).finally(cleanUp);
  });
}

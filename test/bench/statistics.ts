export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const { length } = sorted;
  const middle = Math.floor(length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return {
    min: sorted[0] ?? Number.NaN,
    median: length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2,
    max: sorted[length - 1] ?? Number.NaN,
  };
}

/** Least squares: the slope of `ys` over `xs`, and its standard error. */
export function slopeOf(xs: readonly number[], ys: readonly number[]) {
  const meanX = mean(xs);
  const meanY = mean(ys);
  let covariance = 0;
  let variance = 0;
  for (const [index, x] of xs.entries()) {
    covariance += (x - meanX) * ((ys[index] as number) - meanY);
    variance += (x - meanX) ** 2;
  }
  const slope = covariance / variance;
  let residual = 0;
  for (const [index, x] of xs.entries()) {
    residual += ((ys[index] as number) - meanY - slope * (x - meanX)) ** 2;
  }
  return { slope, standardError: Math.sqrt(residual / (xs.length - 2) / variance) };
}

export function shuffled<T>(items: readonly T[]): T[] {
  const copy = [...items];
  for (let index = copy.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    [copy[index], copy[other]] = [copy[other] as T, copy[index] as T];
  }
  return copy;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

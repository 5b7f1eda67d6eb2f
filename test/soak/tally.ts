/** Counts what was done and keeps the first errors nobody expected. */
export class Tally {
  readonly done = new Map<string, number>();
  readonly errors: string[] = [];
  unexpected = 0;

  async expect(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
      this.done.set(what, (this.done.get(what) ?? 0) + 1);
    } catch (error) {
      this.fail(what, error);
    }
  }

  fail(what: string, error: unknown): void {
    this.unexpected++;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (this.errors.length >= 20) return;
    this.errors.push(`${what}: ${text}`);
    console.error(`${what}: ${text}`);
  }

  get total(): number {
    let total = 0;
    for (const count of this.done.values()) total += count;
    return total;
  }
}

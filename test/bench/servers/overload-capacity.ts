/** What the handlers of the overload row can do: so many at once, each for so long. */
export const SLOTS = 10;
export const SLOT_MS = 100;
export const CAPACITY_PER_SECOND = (SLOTS * 1000) / SLOT_MS;

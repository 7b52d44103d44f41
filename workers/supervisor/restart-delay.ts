const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** A process that was up this long has recovered: its earlier deaths count no more. */
const RECOVERED_MS = 60_000;

export interface Deaths {
  readonly numInARow: number;
}

/** How often a process has died in a row, now that it died after `uptimeMs`. */
export const countDeath = (before: Deaths, uptimeMs: number): Deaths => ({
  numInARow: uptimeMs >= RECOVERED_MS ? 1 : before.numInARow + 1,
});

/** Half a second at first, doubled with each death in a row, at most half a minute. */
export const restartDelayMs = ({ numInARow }: Deaths): number =>
  Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(16, Math.max(0, numInARow - 1)));

import type { Spread } from './spread.ts';

/** What a paired difference is held against: its variance and the degrees of Student's t that go with it. */
export interface Held {
  readonly variance: number;
  readonly degreesOfFreedom: number;
}

/** An own variance of so many floors is a noisier candidate's, and the floor tells nothing of it. */
const foreign = 2;

/**
 * Variance of one paired difference, from its own values and from everything but the pair. One of the two sides, the baseline, is known to
 * spread as the floor does: half of the floor is its share, with the floor's degrees. What is more than that is the other side's, a
 * candidate that may be noisier than any baseline; only its own values tell of it, with their few degrees. The two parts together have
 * degrees by F. Satterthwaite (Biometrics Bulletin 2, 1946) and B. Welch (Biometrika 34, 1947). The variance is the pooled one, or the own
 * where that is larger; from `foreign` floors on the own degrees go with it. Of candidates that spread up to eight times as far as their
 * baseline, no share is called better that is above twice the level (`npm run bench -- nulls`). Null where nothing is known.
 */
export const heldAgainst = (own: Spread, floor: Spread | null): Held | null => {
  const degrees = own.degreesOfFreedom + (floor?.degreesOfFreedom ?? 0);
  if (degrees === 0) return null;
  const ownVariance = own.degreesOfFreedom === 0 ? 0 : own.squares / own.degreesOfFreedom;
  const pooled = (own.squares + (floor?.squares ?? 0)) / degrees;
  const variance = Math.max(pooled, ownVariance);
  if (floor === null || floor.degreesOfFreedom === 0 || own.degreesOfFreedom === 0 || variance === 0)
    return { variance, degreesOfFreedom: degrees };
  if (ownVariance > (foreign * floor.squares) / floor.degreesOfFreedom)
    return { variance, degreesOfFreedom: own.degreesOfFreedom };
  const known = Math.min(variance, floor.squares / floor.degreesOfFreedom / 2);
  const unknown = variance - known;
  const parts = known ** 2 / floor.degreesOfFreedom + unknown ** 2 / own.degreesOfFreedom;
  return { variance, degreesOfFreedom: Math.min(degrees, variance ** 2 / parts) };
};

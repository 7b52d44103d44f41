import type { Spread } from './spread.ts';

/** What a paired difference is held against: its variance and the degrees of Student's t that go with it. */
export interface Held {
  readonly variance: number;
  readonly degreesOfFreedom: number;
}

/**
 * An own variance of so many floors is taken for a noisier candidate's, of which the floor tells nothing. The smaller the level of one finalist,
 * the more of what passes it is a noisy one whose few values lie close by luck, so that finalists share this as they share the error.
 */
const foreignFloors = (sharedBy: number): number => Math.min(1.4, Math.max(0.4, 4 / sharedBy));

/**
 * Variance of one paired difference whose sides both spread as the floor tells, from its own values and from everything but the pair: pooled by
 * their degrees, or the own where that is larger, with all degrees. Null where nothing is known.
 */
export const largerOf = (own: Spread, floor: Spread | null): Held | null => {
  const degreesOfFreedom = own.degreesOfFreedom + (floor?.degreesOfFreedom ?? 0);
  if (degreesOfFreedom === 0) return null;
  const ownVariance = own.degreesOfFreedom === 0 ? 0 : own.squares / own.degreesOfFreedom;
  return { variance: Math.max((own.squares + (floor?.squares ?? 0)) / degreesOfFreedom, ownVariance), degreesOfFreedom };
};

/**
 * Variance of one paired difference, from its own values and from everything but the pair. One of the two sides, the baseline, is known to
 * spread as the floor does: half of the floor is its share, with the floor's degrees. What is more than that is the other side's, a
 * candidate that may be noisier than any baseline; only its own values tell of it, with their few degrees. The two parts together have
 * degrees by F. Satterthwaite (Biometrics Bulletin 2, 1946) and B. Welch (Biometrika 34, 1947). The variance is the pooled one, or the own
 * where that is larger; from `foreignFloors` on the own degrees go with it. So campaigns of candidates that spread up to eight times as far as
 * their baseline say better at most about twice as often as the error allows (`npm run bench -- nulls`). `sharedBy`: finalists among whom the
 * error is shared. Null where nothing is known.
 */
export const heldAgainst = (own: Spread, floor: Spread | null, sharedBy = 1): Held | null => {
  const both = largerOf(own, floor);
  if (both === null || floor === null || floor.degreesOfFreedom === 0 || own.degreesOfFreedom === 0 || both.variance === 0)
    return both;
  const { variance, degreesOfFreedom: degrees } = both;
  // One degree alone says next to nothing: two exploring seeds lie apart so far once in six times.
  const isKnown = own.degreesOfFreedom >= 2;
  if (isKnown && own.squares / own.degreesOfFreedom > (foreignFloors(sharedBy) * floor.squares) / floor.degreesOfFreedom)
    return { variance, degreesOfFreedom: own.degreesOfFreedom };
  const known = Math.min(variance, floor.squares / floor.degreesOfFreedom / 2);
  const unknown = variance - known;
  const parts = known ** 2 / floor.degreesOfFreedom + unknown ** 2 / own.degreesOfFreedom;
  return { variance, degreesOfFreedom: Math.min(degrees, variance ** 2 / parts) };
};

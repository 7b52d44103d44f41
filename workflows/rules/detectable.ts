import { createRandom, type Random } from './random.ts';
import { type ConfirmationDesign, confidenceAt } from './sequential-design.ts';
import { tQuantile } from './student-t.ts';
import { heldAgainst } from './unequal-spread.ts';

export interface Comparison {
  readonly design: ConfirmationDesign;
  /** Degrees of freedom that the variance has from elsewhere than from the compared seeds. */
  readonly floorDegrees: number;
  /** Seeds that a finalist was explored with, beside its baseline. */
  readonly exploreSeeds: number;
}

const power = 0.9;
const numSimulated = 4000;

/**
 * Smallest true gain, in standard deviations of one paired difference, that one comparison calls better at some look nine times
 * in ten, of a candidate that is as noisy as the baselines. The interval is the one of `pairedEffect`, whose variance and degrees
 * (`heldAgainst`) have no closed form, so 4,000 comparisons are simulated from one fixed stream (standard error about 1 %).
 */
export const detectableGain = ({ design, floorDegrees, exploreSeeds }: Comparison): number => {
  const random = createRandom('detectable-gain');
  const quantiles = design.looks.map((_, look) => quantileTable((1 + confidenceAt(design, look)) / 2));
  const before = Math.max(0, exploreSeeds - 1);
  const needed = Array.from({ length: numSimulated }, () => neededGain({ design, quantiles, floorDegrees, before, random }));
  return needed.toSorted((a, b) => a - b)[Math.floor(power * numSimulated)] ?? 0;
};

/** Quarters of a degree are fine enough here, and few enough to be computed once each. */
const quantileTable = (p: number): ((degrees: number) => number) => {
  const known = new Map<number, number>();
  return (degrees) => {
    const quarter = Math.max(1, Math.round(4 * degrees)) / 4;
    const quantile = known.get(quarter) ?? tQuantile(p, quarter);
    known.set(quarter, quantile);
    return quantile;
  };
};

interface Simulated {
  readonly design: ConfirmationDesign;
  readonly quantiles: readonly ((degrees: number) => number)[];
  readonly floorDegrees: number;
  /** Degrees that the pair has from exploring. */
  readonly before: number;
  readonly random: Random;
}

/** The gain that this draw of the noise would just have let through, at its best look. */
const neededGain = ({ design, quantiles, floorDegrees, before, random }: Simulated): number => {
  const floor = { squares: sumOfSquares(floorDegrees, random), degreesOfFreedom: floorDegrees };
  const squaresBefore = sumOfSquares(before, random);
  let seeds = 0;
  let sum = 0;
  let squares = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [look, upTo] of design.looks.entries()) {
    for (; seeds < upTo; seeds++) {
      const error = normal(random);
      sum += error;
      squares += error * error;
    }
    const own = { squares: squares - (sum * sum) / seeds + squaresBefore, degreesOfFreedom: seeds - 1 + before };
    const held = heldAgainst(own, floor, design.numFinalists);
    if (held === null) continue;
    const reach = quantiles[look]?.(held.degreesOfFreedom) ?? Number.POSITIVE_INFINITY;
    least = Math.min(least, reach * Math.sqrt(held.variance / seeds) - sum / seeds);
  }
  return least;
};

/** Standard normal by the transform of Box and Muller (Ann. Math. Statist. 29, 1958). */
const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

const sumOfSquares = (count: number, random: Random): number => {
  let sum = 0;
  for (let drawn = 0; drawn < count; drawn++) sum += normal(random) ** 2;
  return sum;
};

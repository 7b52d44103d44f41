import { createRandom, type Random } from './random.ts';
import { tQuantile } from './student-t.ts';

export interface Comparison {
  /** Common fresh seeds of the comparison. */
  readonly numSeeds: number;
  /** Degrees of freedom of the noise floor. */
  readonly floorDegrees: number;
  /** Two-sided. */
  readonly confidence: number;
}

const power = 0.9;
const numSimulated = 4000;

/**
 * Smallest true gain, in standard deviations of one paired difference, whose interval lies above zero nine times in ten. The
 * interval is the one of `pairedEffect`, whose variance is the larger of the pooled and the candidate's own; that has no closed
 * form, so 4,000 comparisons are simulated from one fixed stream (standard error about 1 %).
 */
export const detectableGain = ({ numSeeds, floorDegrees, confidence }: Comparison): number => {
  const random = createRandom('detectable-gain');
  const degrees = floorDegrees + numSeeds - 1;
  const reach = tQuantile((1 + confidence) / 2, degrees);
  const needed = Array.from({ length: numSimulated }, () => {
    const error = normal(random);
    const ownSquares = sumOfSquares(numSeeds - 1, random);
    const own = numSeeds > 1 ? ownSquares / (numSeeds - 1) : 0;
    const pooled = (ownSquares + sumOfSquares(floorDegrees, random)) / degrees;
    // The mean and the variance of a normal sample are independent, so that they may be drawn apart.
    return reach * Math.sqrt(Math.max(own, pooled)) - error;
  }).toSorted((a, b) => a - b);
  return (needed[Math.floor(power * numSimulated)] ?? 0) / Math.sqrt(numSeeds);
};

/** Standard normal by the transform of Box and Muller (Ann. Math. Statist. 29, 1958). */
const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

const sumOfSquares = (count: number, random: Random): number => {
  let sum = 0;
  for (let drawn = 0; drawn < count; drawn++) sum += normal(random) ** 2;
  return sum;
};

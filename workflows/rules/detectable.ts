import { createRandom, type Random } from './random.ts';
import { type ConfirmationDesign, confidenceAt } from './sequential-design.ts';
import { tQuantile } from './student-t.ts';

export interface Comparison {
  readonly design: ConfirmationDesign;
  /** Degrees of freedom that the variance has from elsewhere than from the compared seeds. */
  readonly floorDegrees: number;
}

const power = 0.9;
const numSimulated = 4000;

/**
 * Smallest true gain, in standard deviations of one paired difference, that one comparison calls better at some look nine times
 * in ten. The interval is the one of `pairedEffect`, whose variance is the larger of the pooled and the candidate's own; that has
 * no closed form, so 4,000 comparisons are simulated from one fixed stream (standard error about 1 %).
 */
export const detectableGain = ({ design, floorDegrees }: Comparison): number => {
  const random = createRandom('detectable-gain');
  const reaches = design.looks.map((seeds, look) =>
    floorDegrees + seeds > 1
      ? tQuantile((1 + confidenceAt(design, look)) / 2, floorDegrees + seeds - 1)
      : Number.POSITIVE_INFINITY,
  );
  const needed = Array.from({ length: numSimulated }, () => neededGain({ looks: design.looks, reaches, floorDegrees, random }));
  return needed.toSorted((a, b) => a - b)[Math.floor(power * numSimulated)] ?? 0;
};

interface Simulated {
  readonly looks: readonly number[];
  readonly reaches: readonly number[];
  readonly floorDegrees: number;
  readonly random: Random;
}

/** The gain that this draw of the noise would just have let through, at its best look. */
const neededGain = ({ looks, reaches, floorDegrees, random }: Simulated): number => {
  const floorSquares = sumOfSquares(floorDegrees, random);
  let seeds = 0;
  let sum = 0;
  let squares = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [look, upTo] of looks.entries()) {
    for (; seeds < upTo; seeds++) {
      const error = normal(random);
      sum += error;
      squares += error * error;
    }
    const ownSquares = squares - (sum * sum) / seeds;
    const own = seeds > 1 ? ownSquares / (seeds - 1) : 0;
    const all = (ownSquares + floorSquares) / (floorDegrees + seeds - 1);
    const gain = (reaches[look] ?? 0) * Math.sqrt(Math.max(own, all) / seeds) - sum / seeds;
    least = Math.min(least, gain);
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

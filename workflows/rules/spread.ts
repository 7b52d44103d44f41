import { mean } from './mean.ts';

/** Value of one metric by trial seed, of one architecture. */
export type SeedValues = ReadonlyMap<number, number>;

/** What seeds alone do to a paired difference of two runs: a sum of squares and its degrees of freedom, which add up. */
export interface Spread {
  /** In squares of the metric's unit; over the degrees it estimates the variance of one paired difference. */
  readonly squares: number;
  readonly degreesOfFreedom: number;
}

/**
 * Residuals of a two-way table, architectures by common seeds, after both effects are taken out (R. Fisher, "Statistical Methods
 * for Research Workers", 1925): what a comparison on common seeds cannot remove. Twice their squares, since a difference has two
 * runs. A row that lacks one of the seeds or holds a value that is not finite is left out. With one row the seeds' effect cannot
 * be told apart and stays in: an upper estimate. Null with fewer than two seeds or no row.
 */
export const residualSpread = (rows: readonly SeedValues[], seeds: readonly number[]): Spread | null => {
  const table = rows.map((row) => seeds.map((seed) => row.get(seed) ?? Number.NaN)).filter((row) => row.every(Number.isFinite));
  if (seeds.length < 2 || table.length === 0) return null;
  const rowMeans = table.map(mean);
  const total = mean(rowMeans);
  const seedEffects = seeds.map((_, column) => (table.length > 1 ? mean(table.map((row) => row[column] ?? 0)) - total : 0));
  const squares = table.flatMap((row, index) =>
    row.map((value, column) => (value - (rowMeans[index] ?? 0) - (seedEffects[column] ?? 0)) ** 2),
  );
  return {
    squares: 2 * squares.reduce((sum, square) => sum + square, 0),
    degreesOfFreedom: Math.max(1, table.length - 1) * (seeds.length - 1),
  };
};

/** Squares and degrees of independent tables together. */
export const pooled = (spreads: readonly (Spread | null)[]): Spread =>
  spreads.reduce<Spread>(
    (sum, one) =>
      one === null ? sum : { squares: sum.squares + one.squares, degreesOfFreedom: sum.degreesOfFreedom + one.degreesOfFreedom },
    { squares: 0, degreesOfFreedom: 0 },
  );

/** How paired differences spread around their mean. */
export const differenceSpread = (differences: readonly number[]): Spread => {
  const centre = mean(differences);
  return {
    squares: differences.reduce((sum, value) => sum + (value - centre) ** 2, 0),
    degreesOfFreedom: Math.max(0, differences.length - 1),
  };
};

/**
 * The spread of a table without what the differences of two of its rows hold, so that a comparison of these two may pool its own
 * variance with the rest and count nothing twice. The contrast of two rows is orthogonal to the others, so that their squares and
 * degrees come off. Null where nothing is left.
 */
export const withoutPair = (whole: Spread | null, differences: readonly number[]): Spread | null => {
  const own = differenceSpread(differences);
  const degreesOfFreedom = (whole?.degreesOfFreedom ?? 0) - own.degreesOfFreedom;
  if (whole === null || degreesOfFreedom <= 0) return null;
  return { squares: Math.max(0, whole.squares - own.squares), degreesOfFreedom };
};

/** The spread as a comparison takes it; null where there is none. */
export const floorOf = (spread: Spread | null): { readonly pairedSd: number; readonly degreesOfFreedom: number } | null =>
  spread === null || spread.degreesOfFreedom === 0
    ? null
    : { pairedSd: Math.sqrt(spread.squares / spread.degreesOfFreedom), degreesOfFreedom: spread.degreesOfFreedom };

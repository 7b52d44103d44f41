import { type OtherRate, otherRateNames, otherRates } from '../../workflows/contracts/rung.ts';
import type { ScoreSet } from '../../workflows/contracts/score.ts';
import { mean } from '../../workflows/rules/mean.ts';
import { residualSpread, type SeedValues } from '../../workflows/rules/spread.ts';

/** One real training of the byte task: a baseline, or from replicate 1 on the same with other initial values of its mixer, under one seed. */
export interface TableRow {
  readonly baseline: string;
  readonly replicate: number;
  /** Multiple of the rung's learning rate. */
  readonly rate: number;
  readonly seed: number;
  /** Bits per byte by what it was scored for. */
  readonly bits: Readonly<Partial<Record<ScoreSet, number>>>;
}

/** Seeds of a table that campaigns can be drawn from. */
export const fewestSeeds = 8;

/** Exploring seeds are scored for search, fresh ones for promotion. */
const fittedSets = ['search', 'promotion'] as const;

/** Two-way fit of what one set says: levels, seeds' effects, and what is left over. */
export interface SetFit {
  /** Value of each baseline by seed, as trained. */
  readonly cells: ReadonlyMap<string, SeedValues>;
  readonly levels: ReadonlyMap<string, number>;
  /** What a seed's data order does to all of them. */
  readonly seedEffects: SeedValues;
  /** Residuals of each baseline in the order of the seeds, widened to undo the fit. */
  readonly residuals: ReadonlyMap<string, readonly number[]>;
}

/** What real trainings show. */
export interface NoiseModel {
  readonly baselines: readonly string[];
  readonly seeds: readonly number[];
  readonly fits: Readonly<Record<(typeof fittedSets)[number], SetFit>>;
  /** Champion score less promotion score of single trials, less what both sets differ by. */
  readonly championShifts: readonly number[];
  /** Promotion scores of each baseline at other learning rates, by seed. */
  readonly atRates: Readonly<Record<OtherRate, ReadonlyMap<string, SeedValues>>>;
  /** At the rung's rate, on promotion. */
  readonly strongest: string;
  /** Bits per byte by which the best of all baselines and rates is below the strongest at the rung's rate; 0 where that is the best. */
  readonly rateGain: number;
  /** Standard deviation of a paired difference of two runs, all baselines together, on promotion. */
  readonly pairedSd: number;
  /** The same from replicates against their baselines, which are true nulls; null without replicates. */
  readonly replicateSd: number | null;
}

/**
 * Fits the table on the seeds that every baseline has with every set and rate. `names`: the baselines of the campaign, the reference first.
 * Throws RangeError with fewer than two of them or eight common seeds.
 */
export const noiseModel = (rows: readonly TableRow[], names: readonly string[]): NoiseModel => {
  const originals = rows.filter(({ replicate }) => replicate === 0);
  const own = originals.filter(({ rate }) => rate === 1);
  const cellsOf = new Map(fittedSets.map((set) => [set, cellsIn(own, set)]));
  const atRates = Object.fromEntries(
    otherRateNames.map((name) => [
      name,
      cellsIn(
        originals.filter(({ rate }) => rate === otherRates[name]),
        'promotion',
      ),
    ]),
  ) as Record<OtherRate, ReadonlyMap<string, SeedValues>>;
  const tables = [...cellsOf.values(), ...Object.values(atRates)];
  const baselines = names.filter((name) => tables.every((cells) => cells.has(name)));
  const seeds = [...new Set(own.map(({ seed }) => seed))]
    .filter((seed) => tables.every((cells) => baselines.every((name) => cells.get(name)?.has(seed) === true)))
    .toSorted((a, b) => a - b);
  if (baselines.length < 2 || seeds.length < fewestSeeds)
    throw new RangeError(
      `the table has ${baselines.length} baselines on ${seeds.length} common seeds at every rate; right would be 2 and ${fewestSeeds} or more`,
    );
  const fits = Object.fromEntries(
    fittedSets.map((set) => [set, fitOf(cellsOf.get(set) ?? new Map(), { baselines, seeds })]),
  ) as NoiseModel['fits'];
  const { cells, levels } = fits.promotion;
  const strongest = baselines.reduce((best, name) => ((levels.get(name) ?? 0) < (levels.get(best) ?? 0) ? name : best));
  const spread = residualSpread(
    baselines.flatMap((name) => cells.get(name) ?? []),
    seeds,
  );
  const anyRate = Object.values(atRates).flatMap((of) => baselines.map((name) => levelOf(of.get(name), seeds)));
  return {
    baselines,
    seeds,
    fits,
    championShifts: championShiftsOf(own),
    atRates,
    strongest,
    rateGain: Math.max(0, ...anyRate.map((level) => (levels.get(strongest) ?? Number.NaN) - level)),
    pairedSd: spread === null ? 0 : Math.sqrt(spread.squares / spread.degreesOfFreedom),
    replicateSd: replicateSdOf(rows, cells),
  };
};

const fitOf = (cells: ReadonlyMap<string, SeedValues>, { baselines, seeds }: Pick<NoiseModel, 'baselines' | 'seeds'>): SetFit => {
  const value = (name: string, seed: number): number => cells.get(name)?.get(seed) ?? Number.NaN;
  const levels = new Map(baselines.map((name) => [name, levelOf(cells.get(name), seeds)]));
  const total = mean([...levels.values()]);
  const seedEffects = new Map(seeds.map((seed) => [seed, mean(baselines.map((name) => value(name, seed))) - total]));
  const cellsLost = (baselines.length * seeds.length) / ((baselines.length - 1) * (seeds.length - 1));
  const residuals = new Map(
    baselines.map((name) => [
      name,
      seeds.map((seed) => Math.sqrt(cellsLost) * (value(name, seed) - (levels.get(name) ?? 0) - (seedEffects.get(seed) ?? 0))),
    ]),
  );
  return { cells, levels, seedEffects, residuals };
};

export const levelOf = (values: SeedValues | undefined, seeds: readonly number[]): number =>
  mean(seeds.map((seed) => values?.get(seed) ?? Number.NaN));

const championShiftsOf = (rows: readonly TableRow[]): readonly number[] => {
  const shifts = rows.flatMap(({ bits: { champion, promotion } }) =>
    champion === undefined || promotion === undefined ? [] : [champion - promotion],
  );
  const both = mean(shifts);
  return shifts.map((shift) => shift - both);
};

const cellsIn = (rows: readonly TableRow[], set: ScoreSet): ReadonlyMap<string, SeedValues> =>
  new Map([...Map.groupBy(rows, ({ baseline }) => baseline)].map(([name, of]) => [name, valuesOf(of, set)]));

const valuesOf = (rows: readonly TableRow[], set: ScoreSet): SeedValues =>
  new Map(rows.flatMap(({ seed, bits }) => (bits[set] === undefined ? [] : [[seed, bits[set]] as const])));

const replicateSdOf = (rows: readonly TableRow[], cells: ReadonlyMap<string, SeedValues>): number | null => {
  const groups = Map.groupBy(
    rows.filter(({ replicate }) => replicate > 0),
    ({ baseline, replicate }) => `${baseline}/${replicate}`,
  );
  const variances = [...groups.values()].flatMap((group) => {
    const original = cells.get(group[0]?.baseline ?? '');
    const differences = [...valuesOf(group, 'promotion')].flatMap(([seed, value]) => {
      const other = original?.get(seed);
      return other === undefined ? [] : [value - other];
    });
    const centre = mean(differences);
    return differences.length < 2
      ? []
      : [differences.reduce((sum, one) => sum + (one - centre) ** 2, 0) / (differences.length - 1)];
  });
  return variances.length === 0 ? null : Math.sqrt(mean(variances));
};

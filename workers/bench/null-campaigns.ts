import type { Metric } from '../../workflows/contracts/score.ts';
import { type ConfirmationInput, walkConfirmation } from '../../workflows/rules/confirmation.ts';
import { pairedGainFitness, type ScoreRow } from '../../workflows/rules/fitness.ts';
import { mean } from '../../workflows/rules/mean.ts';
import { numNoiseRows } from '../../workflows/rules/pool.ts';
import { createRandom, type Random } from '../../workflows/rules/random.ts';
import { mayBeStrongest } from '../../workflows/rules/rivals.ts';
import {
  type ConfirmationDesign,
  type ConfirmationSettings,
  confirmationDesign,
} from '../../workflows/rules/sequential-design.ts';
import { residualSpread, type SeedValues } from '../../workflows/rules/spread.ts';
import { type Contender, pickFinalists } from '../../workflows/rules/verdict.ts';

/** One real trial: a baseline, or from replicate 1 on the same with other initial values of its mixer, under one seed. */
export interface TableRow {
  readonly baseline: string;
  readonly replicate: number;
  readonly seed: number;
  readonly metrics: Readonly<Partial<Record<Metric, number>>>;
}

const metric = 'bits-per-byte';
/** Seeds of a table that campaigns can be drawn from. */
export const fewestSeeds = 8;

/** What real trials show: levels, seeds' effects, and what is left over. */
export interface NoiseModel {
  readonly baselines: readonly string[];
  readonly seeds: readonly number[];
  /** Value of each baseline by seed, as trained. */
  readonly cells: ReadonlyMap<string, SeedValues>;
  readonly levels: ReadonlyMap<string, number>;
  /** What a seed's data order does to all of them. */
  readonly seedEffects: SeedValues;
  /** Residuals of each baseline, widened to undo the fit. */
  readonly residuals: ReadonlyMap<string, readonly number[]>;
  readonly strongest: string;
  /** Standard deviation of a paired difference of two runs, all baselines together. */
  readonly pairedSd: number;
  /** The same from replicates against their baselines, which are true nulls; null without replicates. */
  readonly replicateSd: number | null;
}

/**
 * Two-way fit of the table on the seeds that every baseline has. `names`: the baselines of the campaign, the reference first.
 * Throws RangeError with fewer than two of them or eight common seeds.
 */
export const noiseModel = (rows: readonly TableRow[], names: readonly string[]): NoiseModel => {
  const originals = rows.filter(({ replicate }) => replicate === 0);
  const cells = new Map([...Map.groupBy(originals, ({ baseline }) => baseline)].map(([name, of]) => [name, valuesOf(of)]));
  const baselines = names.filter((name) => cells.has(name));
  const seeds = [...(cells.get(baselines[0] ?? '') ?? new Map<number, number>()).keys()]
    .filter((seed) => baselines.every((name) => cells.get(name)?.has(seed) === true))
    .toSorted((a, b) => a - b);
  if (baselines.length < 2 || seeds.length < fewestSeeds)
    throw new RangeError(
      `the table has ${baselines.length} baselines on ${seeds.length} common seeds; right would be 2 and ${fewestSeeds} or more`,
    );
  const value = (name: string, seed: number): number => cells.get(name)?.get(seed) ?? Number.NaN;
  const levels = new Map(baselines.map((name) => [name, mean(seeds.map((seed) => value(name, seed)))]));
  const total = mean([...levels.values()]);
  const seedEffects = new Map(seeds.map((seed) => [seed, mean(baselines.map((name) => value(name, seed))) - total]));
  const cellsLost = (baselines.length * seeds.length) / ((baselines.length - 1) * (seeds.length - 1));
  const residuals = new Map(
    baselines.map((name) => [
      name,
      seeds.map((seed) => Math.sqrt(cellsLost) * (value(name, seed) - (levels.get(name) ?? 0) - (seedEffects.get(seed) ?? 0))),
    ]),
  );
  const spread = residualSpread(
    baselines.flatMap((name) => cells.get(name) ?? []),
    seeds,
  );
  return {
    baselines,
    seeds,
    cells,
    levels,
    seedEffects,
    residuals,
    strongest: baselines.reduce((best, name) => ((levels.get(name) ?? 0) < (levels.get(best) ?? 0) ? name : best)),
    pairedSd: spread === null ? 0 : Math.sqrt(spread.squares / spread.degreesOfFreedom),
    replicateSd: replicateSdOf(rows, cells),
  };
};

const valuesOf = (rows: readonly TableRow[]): SeedValues =>
  new Map(rows.flatMap(({ seed, metrics }) => (metrics[metric] === undefined ? [] : [[seed, metrics[metric]] as const])));

const replicateSdOf = (rows: readonly TableRow[], cells: ReadonlyMap<string, SeedValues>): number | null => {
  const groups = Map.groupBy(
    rows.filter(({ replicate }) => replicate > 0),
    ({ baseline, replicate }) => `${baseline}/${replicate}`,
  );
  const variances = [...groups.values()].flatMap((group) => {
    const original = cells.get(group[0]?.baseline ?? '');
    const differences = [...valuesOf(group)].flatMap(([seed, value]) => {
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

export interface CampaignSetting extends ConfirmationSettings {
  readonly candidates: number;
  readonly exploreSeeds: number;
  /** Baselines on fresh seeds at most. */
  readonly mostBaselines: number;
  /** Baseline that every candidate is, again. */
  readonly nullOf: string;
  /** True gain in bits per byte, of the first `numPlanted` candidates. */
  readonly gain: number;
  readonly numPlanted: number;
  /** The first `numNoisy` candidates spread so many times as far over seeds as their baseline. */
  readonly spread?: number;
  readonly numNoisy?: number;
}

interface CampaignOutcome {
  /** Confirmed candidates without and with a planted gain, and how many of each are called better. */
  readonly nulls: number;
  readonly nullsBetter: number;
  readonly plantedBetter: number;
  readonly seedsUsed: number;
  /** Baselines on fresh seeds, and 1 where the truly strongest is not among them. */
  readonly baselines: number;
  readonly missedStrongest: number;
}

/**
 * One campaign on resampled trials, by the rules of the product: fitness on the exploring seeds, finalists, looks on fresh seeds,
 * verdicts. Baselines are as they were trained; a candidate has the level of its baseline, the seed's effect that all share, and a
 * residual of that baseline drawn with replacement. The champion set and other learning rates are left out: they can only take a "better" away.
 */
const resampleCampaign = (
  model: NoiseModel,
  setting: CampaignSetting & { readonly design: ConfirmationDesign },
  random: Random,
): CampaignOutcome => {
  const { design } = setting;
  const drawn = random.shuffle(model.seeds);
  const explore = drawn.slice(0, setting.exploreSeeds);
  const fresh = drawn.slice(setting.exploreSeeds, setting.exploreSeeds + (design.looks.at(-1) ?? 0));
  const { spread = 1, numNoisy = 0 } = setting;
  const run = (candidate: number, seeds: readonly number[]): SeedValues => {
    const level = (model.levels.get(setting.nullOf) ?? Number.NaN) - (candidate < setting.numPlanted ? setting.gain : 0);
    const times = candidate < numNoisy ? spread : 1;
    return new Map(
      seeds.map((seed) => [
        seed,
        level + (model.seedEffects.get(seed) ?? 0) + times * random.pick(model.residuals.get(setting.nullOf) ?? []),
      ]),
    );
  };
  const explored = new Map<string, SeedValues>([
    ...model.baselines.map((name) => [name, onSeeds(model.cells.get(name), explore)] as const),
    ...Array.from({ length: setting.candidates }, (_, index) => [`candidate-${index}`, run(index, explore)] as const),
  ]);
  const referenceId = model.baselines[0] ?? '';
  const contenders = [...explored].map(([id, values], index): Contender => {
    const judged = pairedGainFitness({
      candidate: rowsOf(values),
      reference: rowsOf(explored.get(referenceId) ?? new Map()),
      noise: [],
    });
    const kind = model.baselines.includes(id) ? 'baseline' : 'candidate';
    return { id, kind, number: index + 1, fitness: judged.ok ? judged.fitness.value : null };
  });
  const leaders = contenders
    .toSorted((a, b) => (b.fitness ?? 0) - (a.fitness ?? 0))
    .slice(0, numNoiseRows(contenders.length))
    .map(({ id }) => id);
  const noiseOf = (ids: readonly string[]) =>
    residualSpread(
      [...new Set(ids)].map((id) => explored.get(id) ?? new Map()),
      explore,
    );
  const noiseRows = [...model.baselines, ...leaders];
  const { finalists, baselines } = pickFinalists({
    experiments: contenders,
    finalists: setting.finalists,
    referenceId,
    rivals: mayBeStrongest({
      metric,
      baselines: model.baselines.map((id) => ({ id, values: explored.get(id) ?? new Map() })),
      noise: noiseOf(noiseRows),
    }),
    mostBaselines: setting.mostBaselines,
  });
  const rivals = baselines.map((name) => ({
    name,
    values: onSeeds(model.cells.get(name), fresh),
    explored: onSeeds(model.cells.get(name), explore),
  }));
  const outcome = {
    nulls: 0,
    nullsBetter: 0,
    plantedBetter: 0,
    seedsUsed: 0,
    baselines: baselines.length,
    missedStrongest: baselines.includes(model.strongest) ? 0 : 1,
  };
  for (const id of finalists) {
    const number = Number(id.split('-')[1]);
    const isPlanted = number < setting.numPlanted;
    const { isBetter, numTried } = confirmed({
      metric,
      design,
      seeds: fresh,
      candidate: run(number, fresh),
      explored: explored.get(id) ?? new Map(),
      baselines: rivals,
      noise: noiseOf([...noiseRows, id]),
    });
    if (!isPlanted) outcome.nulls += 1;
    if (isBetter && isPlanted) outcome.plantedBetter += 1;
    if (isBetter && !isPlanted) outcome.nullsBetter += 1;
    outcome.seedsUsed += numTried;
  }
  return outcome;
};

/** Look by look, as the campaign asks: the seeds are trained when the walk wants them. */
const confirmed = (input: Omit<ConfirmationInput, 'numTried'>): { readonly isBetter: boolean; readonly numTried: number } => {
  for (let numTried = 0; ; ) {
    const { verdict, nextSeeds } = walkConfirmation({ ...input, numTried });
    if (nextSeeds.length === 0) return { isBetter: verdict?.verdict === 'better', numTried };
    numTried += nextSeeds.length;
  }
};

const onSeeds = (values: SeedValues | undefined, seeds: readonly number[]): SeedValues =>
  new Map(seeds.map((seed) => [seed, values?.get(seed) ?? Number.NaN]));

const rowsOf = (values: SeedValues): readonly ScoreRow[] => [...values].map(([seed, value]) => ({ metric, seed, value }));

export interface Share {
  readonly hits: number;
  readonly of: number;
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** A share with its 95 % score interval (E. Wilson, J. Am. Statist. Assoc. 22, 1927). */
export const shareOf = (hits: number, of: number): Share => {
  const z = 1.959963984540054;
  const share = of === 0 ? 0 : hits / of;
  const centre = (share + z ** 2 / (2 * of)) / (1 + z ** 2 / of);
  const half = (z / (1 + z ** 2 / of)) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  return { hits, of, share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
};

export interface Resampled {
  /** Confirmed null candidates that are called better. */
  readonly candidates: Share;
  /** Campaigns that call any null candidate better. */
  readonly campaigns: Share;
  /** Campaigns that call a planted candidate better. */
  readonly found: Share;
  /** Campaigns whose finalists are not compared with the truly strongest baseline. */
  readonly missedStrongest: Share;
  /** Fresh seeds a finalist, and baselines on fresh seeds, on average. */
  readonly meanSeeds: number;
  readonly meanBaselines: number;
}

/** Many campaigns of one setting; the same seed gives the same figures. */
export const resampleCampaigns = (
  model: NoiseModel,
  setting: CampaignSetting,
  { numCampaigns, seed }: { readonly numCampaigns: number; readonly seed: number },
): Resampled => {
  const random = createRandom(`nulls/${seed}/${JSON.stringify(setting)}`);
  const designed = { ...setting, design: confirmationDesign(setting) };
  const outcomes = Array.from({ length: numCampaigns }, () => resampleCampaign(model, designed, random));
  const sum = (of: (outcome: CampaignOutcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  return {
    candidates: shareOf(
      sum(({ nullsBetter }) => nullsBetter),
      sum(({ nulls }) => nulls),
    ),
    campaigns: shareOf(
      sum(({ nullsBetter }) => Math.min(1, nullsBetter)),
      numCampaigns,
    ),
    found: shareOf(
      sum(({ plantedBetter }) => Math.min(1, plantedBetter)),
      numCampaigns,
    ),
    missedStrongest: shareOf(
      sum(({ missedStrongest }) => missedStrongest),
      numCampaigns,
    ),
    meanSeeds: sum(({ seedsUsed }) => seedsUsed) / (numCampaigns * setting.finalists),
    meanBaselines: sum(({ baselines }) => baselines) / numCampaigns,
  };
};

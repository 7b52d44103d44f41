import { otherRateNames } from '../../workflows/contracts/rung.ts';
import { confirmOnChampion } from '../../workflows/rules/champion.ts';
import { type ConfirmationInput, upToLook, walkConfirmation } from '../../workflows/rules/confirmation.ts';
import { pairedGainFitness, type ScoreRow } from '../../workflows/rules/fitness.ts';
import { numNoiseRows } from '../../workflows/rules/pool.ts';
import { createRandom, type Random } from '../../workflows/rules/random.ts';
import { heldAtEveryRate } from '../../workflows/rules/rate-control.ts';
import { mayBeStrongest } from '../../workflows/rules/rivals.ts';
import {
  type ConfirmationDesign,
  type ConfirmationSettings,
  confirmationDesign,
} from '../../workflows/rules/sequential-design.ts';
import { residualSpread, type SeedValues, type Spread } from '../../workflows/rules/spread.ts';
import { type Contender, pickFinalists } from '../../workflows/rules/verdict.ts';
import type { NoiseModel, SetFit } from './noise-model.ts';

const metric = 'bits-per-byte';

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
  /** Confirmed candidates without a planted gain. */
  readonly nulls: number;
  /** Of them, and of candidates with a planted gain: better by the walk, at every rate too, on the champion set too (called better). */
  readonly nullsPassed: Readonly<Record<Stage, number>>;
  readonly plantedPassed: Readonly<Record<Stage, number>>;
  readonly seedsUsed: number;
  /** Baselines on fresh seeds, and 1 where the truly strongest is not among them. */
  readonly baselines: number;
  readonly missedStrongest: number;
}

/** What a "better" has to pass, in this order. */
const stages = ['walk', 'rates', 'champion'] as const;
type Stage = (typeof stages)[number];

/**
 * One campaign on resampled trainings, by the rules of the product: fitness on the exploring seeds, finalists, looks on fresh seeds,
 * baselines at other learning rates, the champion set. Baselines are as they were trained; a candidate has the level of its baseline, the
 * seed's effect that all share, and a residual of that baseline drawn with replacement. On the champion set each trial is where promotion puts
 * it, shifted as some real trial is. Pull, controls and audits are left out: they have no noise.
 */
const resampleCampaign = (
  model: NoiseModel,
  setting: CampaignSetting & { readonly design: ConfirmationDesign },
  random: Random,
): CampaignOutcome => {
  const { design } = setting;
  const { search, promotion } = model.fits;
  const drawn = random.shuffle(model.seeds);
  const explore = drawn.slice(0, setting.exploreSeeds);
  const fresh = drawn.slice(setting.exploreSeeds, setting.exploreSeeds + (design.looks.at(-1) ?? 0));
  const { spread = 1, numNoisy = 0 } = setting;
  const run = (candidate: number, fit: SetFit, seeds: readonly number[]): SeedValues => {
    const level = (fit.levels.get(setting.nullOf) ?? Number.NaN) - (candidate < setting.numPlanted ? setting.gain : 0);
    const times = candidate < numNoisy ? spread : 1;
    return new Map(
      seeds.map((seed) => [
        seed,
        level + (fit.seedEffects.get(seed) ?? 0) + times * random.pick(fit.residuals.get(setting.nullOf) ?? []),
      ]),
    );
  };
  const explored = new Map<string, SeedValues>([
    ...model.baselines.map((name) => [name, onSeeds(search.cells.get(name), explore)] as const),
    ...Array.from({ length: setting.candidates }, (_, index) => [`candidate-${index}`, run(index, search, explore)] as const),
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
    values: onSeeds(promotion.cells.get(name), fresh),
    explored: onSeeds(search.cells.get(name), explore),
  }));
  const shifted = (values: SeedValues): SeedValues =>
    new Map([...values].map(([seed, value]) => [seed, value + random.pick(model.championShifts)]));
  const nullsPassed = { walk: 0, rates: 0, champion: 0 };
  const plantedPassed = { walk: 0, rates: 0, champion: 0 };
  const outcome = {
    nulls: 0,
    nullsPassed,
    plantedPassed,
    seedsUsed: 0,
    baselines: baselines.length,
    missedStrongest: baselines.includes(model.strongest) ? 0 : 1,
  };
  for (const id of finalists) {
    const number = Number(id.split('-')[1]);
    const { passed, numTried } = confirmed(
      {
        metric,
        design,
        seeds: fresh,
        candidate: run(number, promotion, fresh),
        explored: explored.get(id) ?? new Map(),
        baselines: rivals,
        noise: noiseOf([...noiseRows, id]),
      },
      { atRates: model.atRates, onChampion: shifted, noise: noiseOf(noiseRows) },
    );
    const isPlanted = number < setting.numPlanted;
    if (!isPlanted) outcome.nulls += 1;
    for (const stage of passed) (isPlanted ? plantedPassed : nullsPassed)[stage] += 1;
    outcome.seedsUsed += numTried;
  }
  return outcome;
};

interface After {
  readonly atRates: NoiseModel['atRates'];
  /** What the champion set would say of trials with these promotion scores. */
  readonly onChampion: (values: SeedValues) => SeedValues;
  /** What seeds alone did while exploring, the finalist aside unless it was among the leaders. */
  readonly noise: Spread | null;
}

/** Look by look, as the campaign asks: the seeds are trained when the walk wants them. Then what a "better" has to pass beside. */
const confirmed = (
  input: Omit<ConfirmationInput, 'numTried'>,
  after: After,
): { readonly passed: readonly Stage[]; readonly numTried: number } => {
  const hold = heldAtEveryRate(
    {
      ids: input.baselines.map(({ name }) => name),
      others: input.baselines.flatMap((rival) =>
        otherRateNames.map((rate) => ({
          ...rival,
          id: rival.name,
          rate,
          values: onSeeds(after.atRates[rate].get(rival.name), input.seeds),
        })),
      ),
    },
    () => true,
  );
  for (let numTried = 0; ; ) {
    const { verdict, look, nextSeeds } = walkConfirmation({ ...input, numTried }, hold);
    if (nextSeeds.length > 0) {
      numTried += nextSeeds.length;
      continue;
    }
    const isBetterAlone = walkConfirmation({ ...input, numTried }).verdict?.verdict === 'better';
    if (verdict?.verdict !== 'better' || look === null) return { passed: isBetterAlone ? ['walk'] : [], numTried };
    const { baselines, candidate } = upToLook({ ...input, numTried }, look);
    const held = confirmOnChampion({
      metric,
      verdict,
      candidate: after.onChampion(candidate),
      baselines: baselines.map(({ name, values }) => ({ name, values: after.onChampion(values) })),
      noise: after.noise,
    });
    return { passed: held.verdict === 'better' ? stages : ['walk', 'rates'], numTried };
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
  /** Campaigns in which any null candidate is better by the walk alone, and called better in the end. */
  readonly campaignsByWalk: Share;
  readonly campaigns: Share;
  /** Campaigns in which a planted candidate is better by the walk alone, at every rate too, and called better in the end. */
  readonly foundByWalk: Share;
  readonly foundAtRates: Share;
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
  const campaignsWith = (of: (outcome: CampaignOutcome) => number): Share =>
    shareOf(
      sum((outcome) => Math.min(1, of(outcome))),
      numCampaigns,
    );
  return {
    candidates: shareOf(
      sum(({ nullsPassed }) => nullsPassed.champion),
      sum(({ nulls }) => nulls),
    ),
    campaignsByWalk: campaignsWith(({ nullsPassed }) => nullsPassed.walk),
    campaigns: campaignsWith(({ nullsPassed }) => nullsPassed.champion),
    foundByWalk: campaignsWith(({ plantedPassed }) => plantedPassed.walk),
    foundAtRates: campaignsWith(({ plantedPassed }) => plantedPassed.rates),
    found: campaignsWith(({ plantedPassed }) => plantedPassed.champion),
    missedStrongest: campaignsWith(({ missedStrongest }) => missedStrongest),
    meanSeeds: sum(({ seedsUsed }) => seedsUsed) / (numCampaigns * setting.finalists),
    meanBaselines: sum(({ baselines }) => baselines) / numCampaigns,
  };
};

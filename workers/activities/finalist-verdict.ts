import { auditCuts } from '../../workflows/contracts/activities.ts';
import type { Audit } from '../../workflows/contracts/audit.ts';
import type { ControlOutcome } from '../../workflows/contracts/control.ts';
import type { Verdict } from '../../workflows/contracts/experiment.ts';
import type { BaselineName } from '../../workflows/contracts/genome.ts';
import { idAtRate } from '../../workflows/contracts/naming.ts';
import { type OtherRate, otherRateNames } from '../../workflows/contracts/rung.ts';
import type { SandboxTier } from '../../workflows/contracts/sandbox.ts';
import type { Metric, Score } from '../../workflows/contracts/score.ts';
import type { CampaignSettings } from '../../workflows/contracts/settings.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import { trainingDoubt } from '../../workflows/rules/ahead-of-training.ts';
import { confirmOnChampion } from '../../workflows/rules/champion.ts';
import { type Confirmation, type ConfirmationInput, walkConfirmation } from '../../workflows/rules/confirmation.ts';
import { controlsBar } from '../../workflows/rules/controls.ts';
import { detectableGain } from '../../workflows/rules/detectable.ts';
import { asKnownBaseline } from '../../workflows/rules/known-baseline.ts';
import { heldAtEveryRate, type TriedAt } from '../../workflows/rules/rate-control.ts';
import { leftOutWords } from '../../workflows/rules/rivals.ts';
import { type ConfirmationDesign, confirmationDesign } from '../../workflows/rules/sequential-design.ts';
import { floorOf, pooled, residualSpread, type Spread } from '../../workflows/rules/spread.ts';
import { recallLoss, tradeWords } from '../../workflows/rules/trade.ts';
import { allConfirmSeeds, calibrationSeeds } from '../../workflows/rules/trial-seeds.ts';
import { asUnsandboxed, type Silence } from '../../workflows/rules/unsandboxed.ts';
import { unscoredWords } from '../../workflows/rules/unscored-seeds.ts';
import { ScoreTable } from './score-table.ts';

/** Everything a verdict is made of: rows and settings, whether they come from the archive or from a bundle. */
export interface VerdictFacts {
  readonly settings: CampaignSettings;
  /** What each finalist must beat, in the order of `pickFinalists`. */
  readonly baselines: readonly { readonly id: string; readonly name: string }[];
  /** Names of baselines that may be the strongest too and were not trained on fresh seeds. */
  readonly leftOut: readonly string[];
  /** Every row of the finalists and of these baselines. */
  readonly scores: readonly Score[];
  /** How the controls of the campaign's gates ended. */
  readonly controls: readonly ControlOutcome[];
  /** Exploring rows, in the order of `noiseExperiments`. */
  readonly noise: readonly { readonly experimentId: string; readonly scores: readonly Score[] }[];
}

interface Explored {
  readonly rows: VerdictFacts['noise'];
  /** Those of the baselines; a finalist has `exploreSeeds` of them. */
  readonly seeds: readonly number[];
  readonly exploreSeeds: number;
}

export interface Bench {
  readonly design: ConfirmationDesign;
  readonly seeds: readonly number[];
  readonly table: ScoreTable;
  /** Of the champion set, asked once. */
  readonly championTable: ScoreTable;
  readonly baselines: VerdictFacts['baselines'];
  readonly leftOut: VerdictFacts['leftOut'];
  readonly noise: (metric: Metric) => Spread | null;
  readonly explored: Explored;
  /** Why nothing may be called better here, by its controls; null where they ended as they must. */
  readonly controlsBar: string | null;
}

export const benchOf = ({ settings, baselines, leftOut, scores, controls, noise }: VerdictFacts): Bench => ({
  design: confirmationDesign(settings),
  seeds: allConfirmSeeds(settings),
  table: new ScoreTable(scores),
  championTable: new ScoreTable(scores, ['champion']),
  baselines,
  leftOut,
  noise: exploringNoise(settings, noise),
  explored: { rows: noise, seeds: calibrationSeeds(settings), exploreSeeds: settings.exploreSeeds },
  controlsBar: controlsBar(controls),
});

/**
 * What seeds alone did while exploring: all baselines and the fitter half of the others, fifty at most. Those are as good as what
 * a verdict is about, and many more than the baselines, so that intervals need not allow for an unknown spread as much. Choosing
 * by the mean does not touch the spread around it.
 */
export const exploringNoise = (settings: CampaignSettings, noise: VerdictFacts['noise']): ((metric: Metric) => Spread | null) => {
  const table = new ScoreTable(noise.flatMap(({ scores }) => scores));
  const ids = noise.map(({ experimentId }) => experimentId);
  const seeds = calibrationSeeds(settings);
  return (metric) =>
    residualSpread(
      ids.map((id) => table.values(id, { metric, seeds })),
      seeds,
    );
};

/** The exploring noise with one finalist among its rows, wherever it ranks, so that a comparison can take its own part out. */
const noiseWith = ({ explored, noise, table }: Bench, id: string, metric: Metric): Spread | null => {
  const { rows, seeds } = explored;
  if (rows.some(({ experimentId }) => experimentId === id)) return noise(metric);
  const others = new ScoreTable(rows.flatMap(({ scores }) => scores));
  return residualSpread(
    [...rows.map(({ experimentId }) => others.values(experimentId, { metric, seeds })), table.values(id, { metric, seeds })],
    seeds,
  );
};

export const walk = (bench: Bench, id: string, numTried: number): Confirmation =>
  walkConfirmation(walkInput(bench, id, numTried));

const walkInput = (bench: Bench, id: string, numTried: number): ConfirmationInput => {
  const { design, seeds, table, baselines, explored } = bench;
  const metric = 'bits-per-byte';
  const values = (of: string) => table.values(of, { metric, seeds });
  const before = (of: string) => table.values(of, { metric, seeds: explored.seeds });
  return {
    metric,
    design,
    seeds,
    numTried,
    noise: noiseWith(bench, id, metric),
    candidate: values(id),
    explored: before(id),
    baselines: baselines.map((baseline) => ({
      name: baseline.name,
      values: values(baseline.id),
      explored: before(baseline.id),
    })),
  };
};

/**
 * The walk of what nothing bars: a "better" of a look is held against the baselines at every other rate, and where it falls more seeds may
 * still lift it. `isTried`: trainings that were tried are not asked for again.
 */
export const walkAtRates = (
  bench: Bench,
  id: string,
  { numTried, isTried }: { readonly numTried: number; readonly isTried: (trial: TriedAt) => boolean },
): Confirmation => {
  const { seeds, table, baselines } = bench;
  const input = walkInput(bench, id, numTried);
  const values = (of: string, rate: OtherRate) => table.values(idAtRate(of, rate), { metric: input.metric, seeds });
  const others = baselines.flatMap(({ id: of, name }, index) =>
    otherRateNames.map((rate) => ({ ...input.baselines[index], id: of, name, rate, values: values(of, rate) })),
  );
  return walkConfirmation(input, heldAtEveryRate({ ids: baselines.map(({ id: of }) => of), others }, isTried));
};

/** Why a contender can be no discovery: it is a known baseline, or its scores may not speak. */
export interface Bar {
  readonly knownAs: BaselineName | null;
  /** Why its scores may not speak; null where they may. */
  readonly silence: Silence | null;
  /** Weakest tier of its rows. */
  readonly tier: SandboxTier | null;
}

export interface Finalist {
  readonly id: string;
  readonly trials: readonly Pick<Trial, 'seed' | 'purpose' | 'failure' | 'usage'>[];
  readonly audits: readonly Pick<Audit, 'cuts' | 'passed' | 'label' | 'detail'>[];
  readonly bar: Bar;
}

/** The walk over the looks that were begun, its verdict held against what bars it, controls, recall, champion set and audits. */
export const finalVerdict = (bench: Bench, { id, trials, audits, bar }: Finalist): Confirmation => {
  const numTried = numTriedOf(bench, trials);
  const alone = walk(bench, id, numTried);
  if (alone.verdict === null) return alone;
  const told = (verdict: Verdict): Verdict => {
    const said = { ...verdict, statement: `${verdict.statement}${unscoredWords(trials)}` };
    return bar.tier === null ? said : { ...said, sandboxTier: bar.tier };
  };
  if (bar.knownAs !== null) return { ...alone, verdict: asKnownBaseline(told(alone.verdict), bar.knownAs) };
  if (bar.silence !== null) return { ...alone, verdict: asUnsandboxed(told(alone.verdict), bar.silence) };
  const undoubted = withTraining(trials, withControls(bench, told(alone.verdict)));
  // Other rates are asked about what would be called better without them.
  const walked = undoubted.verdict === 'better' ? walkAtRates(bench, id, { numTried, isTried: () => true }) : alone;
  const verdict = walked === alone || walked.verdict === null ? undoubted : told(walked.verdict);
  const held = withChampion(bench, id, withTrade(bench, id, verdict));
  const audited = held.verdict === 'better' ? withAudit(audits, held) : held;
  return { ...walked, verdict: audited.verdict === 'better' ? withLeftOut(bench, audited) : audited };
};

const withLeftOut = ({ leftOut }: Bench, verdict: Verdict): Verdict => ({
  ...verdict,
  statement: `${verdict.statement}${leftOutWords(leftOut)}`,
});

/** Fresh seeds of the last look that was begun: a seed whose trial failed was tried all the same. */
export const numTriedOf = ({ seeds, design }: Bench, trials: Finalist['trials']): number => {
  const last = trials.reduce((most, { seed, purpose }) => Math.max(most, purpose === 'confirm' ? seeds.indexOf(seed) : -1), -1);
  return design.looks.find((upTo) => upTo > last && last >= 0) ?? 0;
};

const withTrade = (bench: Bench, id: string, verdict: Verdict): Verdict => {
  if (verdict.effect.mean <= 0) return verdict;
  const metric = 'recall-auc';
  const { table, seeds, baselines, noise } = bench;
  const loss = recallLoss({
    candidate: table.values(id, { metric, seeds }),
    baselines: baselines.map((baseline) => ({ name: baseline.name, values: table.values(baseline.id, { metric, seeds }) })),
    noise: noise(metric),
  });
  return { ...verdict, statement: `${verdict.statement}${tradeWords(loss)}` };
};

/** A "better" must hold again on the champion set. */
const withChampion = ({ championTable, seeds, baselines, noise }: Bench, id: string, verdict: Verdict): Verdict => {
  const metric = 'bits-per-byte';
  const values = (of: string) => championTable.values(of, { metric, seeds });
  const rivals = baselines.map((baseline) => ({ name: baseline.name, values: values(baseline.id) }));
  return confirmOnChampion({ metric, verdict, candidate: values(id), baselines: rivals, noise: noise(metric) });
};

/** Nothing is called better whose program was not audited with the cuts of a champion, or did not stand. */
const withAudit = (audits: Finalist['audits'], verdict: Verdict): Verdict => {
  const failed = audits.find(({ passed }) => !passed);
  if (failed === undefined && audits.some(({ cuts }) => cuts >= auditCuts.champion)) return verdict;
  const why =
    failed === undefined
      ? `the gates could not be run with ${auditCuts.champion} cuts`
      : `the gates with ${failed.cuts} cuts ended with ${failed.label}: ${failed.detail}`;
  return notBetter(verdict, why);
};

/** Gates that miss a planted cheat, or refuse an honest program, speak for nothing. */
const withControls = ({ controlsBar: why }: Bench, verdict: Verdict): Verdict =>
  why === null || verdict.verdict !== 'better' ? verdict : notBetter(verdict, why);

/** A rate that a program gave itself is no architecture, and what it did not learn is none either. */
const withTraining = (trials: Finalist['trials'], verdict: Verdict): Verdict => {
  const why = trainingDoubt(trials);
  return why === null || verdict.verdict !== 'better' ? verdict : notBetter(verdict, why);
};

const notBetter = (verdict: Verdict, why: string): Verdict => ({
  ...verdict,
  verdict: 'not-distinguishable',
  statement: `${verdict.statement} Not called better, because ${why}.`,
});

/** Bits per byte that a true gain needs to be called better nine times in ten, with all that is known of the noise by now. */
export const detectableIn = ({ design, table, seeds, baselines, noise, explored }: Bench): number | null => {
  const metric = 'bits-per-byte';
  const first = seeds.slice(0, design.looks[0]);
  const fresh = residualSpread(
    baselines.map(({ id }) => table.values(id, { metric, seeds: first })),
    first,
  );
  const floor = floorOf(pooled([noise(metric), fresh]));
  return floor === null
    ? null
    : floor.pairedSd * detectableGain({ design, floorDegrees: floor.degreesOfFreedom, exploreSeeds: explored.exploreSeeds });
};

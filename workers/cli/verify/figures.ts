import { isDeepStrictEqual } from 'node:util';
import type { BundleRecord } from '../../../services/export/bundle-record.ts';
import { auditCuts } from '../../../workflows/contracts/activities.ts';
import { rungs } from '../../../workflows/contracts/rung.ts';
import { mostConfirmedBaselines } from '../../../workflows/contracts/settings.ts';
import { mayBeStrongest } from '../../../workflows/rules/rivals.ts';
import { weakestTier } from '../../../workflows/rules/sandbox.ts';
import { calibrationSeeds } from '../../../workflows/rules/trial-seeds.ts';
import { openIn, type Silence } from '../../../workflows/rules/unsandboxed.ts';
import { pickFinalists } from '../../../workflows/rules/verdict.ts';
import { noiseFrom, referenceId } from '../../activities/calibrate.ts';
import { doubtsFrom, settledBy } from '../../activities/doubts.ts';
import { costSentence } from '../../activities/finalist-cost.ts';
import { benchOf, exploringNoise, finalVerdict } from '../../activities/finalist-verdict.ts';
import { knownAs } from '../../activities/finalists.ts';
import { fitnessFrom } from '../../activities/judge.ts';
import { ScoreTable } from '../../activities/score-table.ts';
import type { VerifyStep } from '../../view/verify-lines.ts';

/** Differences of the last digits between two builds of the same arithmetic. */
const tolerance = 1e-9;

/** Noise floor, fitness, doubts and verdict once more from the rows of the record, by the rules that made them. The rows are believed here. */
export const figureStep = (record: BundleRecord): VerifyStep => {
  const ended = (state: VerifyStep['state'], detail: string): VerifyStep => ({ step: 'figures', state, detail });
  const differences = [...noiseDifferences(record), ...fitnessDifferences(record), ...doubtDifferences(record)];
  const verdict = verdictAgain(record);
  const all = [...differences, ...verdict.differences];
  if (all.length > 0) return ended('mismatch', `record.json is altered: ${all.join('; ')}`);
  const open = [verdict.open, otherRecipe(record)].filter((part) => part !== null);
  if (open.length > 0) return ended('not-repeated', open.join('; '));
  const said = record.experiment.verdict === null ? 'there is no verdict' : 'so does the verdict';
  return ended('verified', `noise floor and fitness follow from the rows, ${said}`);
};

/** A rung may have changed since, or somebody changed the recipe: no row tells which. */
const otherRecipe = ({ campaign: { rung, settings } }: BundleRecord): string | null => {
  const known = rungs[settings.rung];
  if (isDeepStrictEqual(rung, known)) return null;
  return `the campaign trained another recipe by the name of ${settings.rung} than this version of asi-arch does, which its rows do not tell: ${JSON.stringify(rung)}; here ${JSON.stringify(known)}`;
};

const noiseDifferences = ({ campaign, noise }: BundleRecord): readonly string[] => {
  const again = noiseFrom(campaign, new ScoreTable(noise.flatMap(({ scores }) => scores)));
  return isClose(campaign.noise, again) ? [] : ['the noise floor is not what the exploring rows of the baselines give'];
};

const fitnessDifferences = ({ campaign, experiment, baselines, scores }: BundleRecord): readonly string[] => {
  const reference = referenceId(campaign.id);
  if (!baselines.some(({ id }) => id === reference)) return [`the reference ${reference} is not among the baselines`];
  // A baseline is among them, and its rows must not count twice.
  const others = baselines.filter(({ id }) => id !== experiment.id).flatMap((baseline) => baseline.scores);
  const table = new ScoreTable([...scores, ...others]);
  const own = fitnessFrom(campaign, table, experiment.id);
  if (!own.ok) return [`the fitness cannot be made again: ${own.reason}`];
  const wrong = isClose(own.fitness, experiment.fitness) ? [] : ['the fitness is not what the rows give'];
  const rivals = baselines.filter((baseline) => {
    const again = fitnessFrom(campaign, table, baseline.id);
    return !again.ok || !isClose(again.fitness.value, baseline.fitness);
  });
  return [...wrong, ...rivals.map(({ id }) => `the fitness of ${id} is not what its rows give`)];
};

/** A result that is too good counts only after the deepest gates and fresh data: what the rows make doubtful must stand as settled. */
const doubtDifferences = ({ campaign, experiment, baselines, scores, audits }: BundleRecord): readonly string[] => {
  const others = baselines.filter(({ id }) => id !== experiment.id);
  const facts = {
    campaign,
    experiment,
    baselines: others.map((one) => ({ id: one.id, name: nameOf(one) })),
    scores: [...scores, ...others.flatMap((baseline) => baseline.scores)],
  };
  const again = settledBy(facts, doubtsFrom(facts));
  const isAudited = audits.some(({ cuts, passed }) => passed && cuts >= auditCuts.champion);
  return [
    ...(isClose(again, experiment.doubts)
      ? []
      : [
          `it tells ${experiment.doubts.length} doubts about a result that is too good; the rows give ${again.map(({ reason, outcome }) => `"${reason}" (${outcome})`).join(', ') || 'none'}`,
        ]),
    ...again
      .filter(({ outcome }) => outcome !== 'held')
      .map(({ reason, detail }) => `${reason}, and fresh data do not bear it out: ${detail}`),
    ...(again.length > 0 && !isAudited ? [`a result that is too good was not audited with ${auditCuts.champion} cuts`] : []),
  ];
};

const nameOf = ({ name, number }: BundleRecord['baselines'][number]): string => name ?? `experiment ${number}`;

interface VerdictAgain {
  readonly differences: readonly string[];
  /** Why a verdict that fits is not the whole truth, or null. */
  readonly open: string | null;
}

const verdictAgain = (record: BundleRecord): VerdictAgain => {
  const { campaign, experiment, trials, scores, audits, baselines, noise } = record;
  const stated = experiment.verdict;
  if (stated === null) return { differences: [], open: unjudged(record) };
  const { baselines: ids, leftOut } = comparedIn(record);
  const of = (some: readonly string[]) => some.flatMap((id) => baselines.filter((baseline) => baseline.id === id));
  const compared = of(ids);
  const rows = [...scores, ...compared.flatMap((baseline) => baseline.scores)];
  const bench = benchOf({
    settings: campaign.settings,
    baselines: compared.map((one) => ({ id: one.id, name: nameOf(one) })),
    leftOut: of(leftOut).map(nameOf),
    scores: rows,
    controls: campaign.controls,
    noise,
  });
  const tier = weakestTier(rows.map(({ sandboxTier }) => sandboxTier));
  const open = openIn(rows, campaign.settings.data);
  // Who wrote the other programs of the campaign stands in no bundle.
  const bar = { knownAs: knownAs(experiment), tier, silence: stated.verdict === 'unsandboxed' ? open : null };
  const { verdict: bare, nextSeeds } = finalVerdict(bench, { id: experiment.id, trials, audits, bar });
  const verdict = bare === null ? null : { ...bare, statement: `${bare.statement}${costOf(record)}` };
  if (verdict === null) return { differences: ['there is a verdict, and the rows give none'], open: null };
  const foreign = audits.filter(
    (audit) => audit.experimentId !== experiment.id || audit.programHash !== experiment.architecture.hash,
  );
  const differences = [
    ...foreign.map(({ experimentId, cuts }) => `the audit of ${experimentId} with ${cuts} cuts is not about this program`),
    ...(isClose(verdict, stated) ? [] : [`the verdict says "${stated.statement}"; the rows give "${verdict.statement}"`]),
  ];
  if (nextSeeds.length === 0) return { differences, open: open !== null && bar.silence === null ? unsaid[open] : null };
  return {
    differences,
    open: `the verdict follows from the rows, but the design asks for ${nextSeeds.length} more fresh seeds that the bundle has no trial of: their trials were cancelled, or left out`,
  };
};

const costOf = ({ campaign, experiment, trials, baselines, referenceSeconds }: BundleRecord): string => {
  const reference = baselines.find(({ id }) => id === referenceId(campaign.id));
  if (reference === undefined) return '';
  return costSentence({
    reference,
    referenceSeconds: new Map(referenceSeconds.map(({ seed, trainSeconds }) => [seed, trainSeconds])),
    trials,
    sizes: experiment.architecture.sizes ?? [],
  });
};

const unsaid: Readonly<Record<Silence, string>> = {
  'no-wall':
    'the verdict follows from the rows, but some were made without a sandbox: whether every program of the campaign was written by asi-arch, so that they may speak, stands in its archive alone',
  'readable-text':
    'the verdict follows from the rows, but some were made where the held-out text could be read: whether every program of the campaign was written by asi-arch, so that they may speak, stands in its archive alone',
};

/** What a finalist of that campaign had to beat, chosen again by the exploring rows. */
const comparedIn = ({ campaign, baselines, noise }: BundleRecord) => {
  const metric = 'bits-per-byte';
  const seeds = calibrationSeeds(campaign.settings);
  const table = new ScoreTable(noise.flatMap(({ scores }) => scores));
  return pickFinalists({
    experiments: baselines,
    finalists: 0,
    referenceId: referenceId(campaign.id),
    rivals: mayBeStrongest({
      metric,
      baselines: baselines.map(({ id }) => ({ id, values: table.values(id, { metric, seeds }) })),
      noise: exploringNoise(campaign.settings, noise)(metric),
    }),
    mostBaselines: mostConfirmedBaselines(campaign.settings),
  });
};

/** Trials to confirm without a verdict: the campaign is not over, or the verdict was left out. */
const unjudged = ({ experiment, trials }: BundleRecord): string | null =>
  experiment.kind !== 'baseline' && trials.some(({ purpose }) => purpose === 'confirm')
    ? 'it was trained on fresh seeds, and there is no verdict: its campaign was not over, or the verdict was left out'
    : null;

/** How deep the gates are to be run again: what is called better went through them with the most cuts. */
export const cutsFor = ({ experiment }: BundleRecord): number =>
  experiment.verdict?.verdict === 'better' ? auditCuts.champion : auditCuts.finalist;

/** Equal in everything, numbers within the tolerance. */
const isClose = (a: unknown, b: unknown): boolean => {
  if (typeof a === 'number' && typeof b === 'number')
    return Object.is(a, b) || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => right.has(key) && isClose(value, right.get(key)));
};

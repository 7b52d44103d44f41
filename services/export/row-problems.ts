import { rungOfTrial } from '../../workflows/contracts/campaign.ts';
import { campaignOf, experimentId, rateOf, trialId } from '../../workflows/contracts/naming.ts';
import { metricsOfTask, type Score, type ScoreSet } from '../../workflows/contracts/score.ts';
import { type BundleRecord, recordName } from './bundle-record.ts';
import type { BundleProblem } from './manifest.ts';

const setsOf: Readonly<Record<BundleRecord['trials'][number]['purpose'], readonly ScoreSet[]>> = {
  // A result that was too good is asked about on the last set while exploring.
  explore: ['search', 'champion'],
  confirm: ['promotion', 'champion'],
  rate: ['promotion'],
};

/** Where rows, trials and experiment of a record do not fit each other, a sentence each; no file beside the record is looked at. */
export const rowProblems = (record: BundleRecord): readonly BundleProblem[] =>
  [...identityProblems(record), ...trialProblems(record), ...ownProblems(record), ...othersProblems(record)].map((detail) => ({
    file: recordName,
    problem: 'altered',
    detail,
  }));

/** Ids say what is a baseline, and ids are in the sealed rows. */
const identityProblems = ({ campaign, experiment, baselines }: BundleRecord): readonly string[] => {
  const isBaseline = ({ number }: { readonly number: number }): boolean => number <= campaign.settings.baselines.length;
  const numbered = [experiment, ...baselines].filter(({ id, number }) => id !== experimentId(campaign.id, number));
  const { rung, settings } = campaign;
  return [
    ...(rung.name === settings.rung ? [] : [`the recipe is of rung ${rung.name}, the campaign's rung is ${settings.rung}`]),
    ...numbered.map(({ id, number }) => `${id} has number ${number} of campaign ${campaign.id}`),
    ...(experiment.campaignId === campaign.id ? [] : [`${experiment.id} is of campaign ${experiment.campaignId}`]),
    ...[experiment, ...baselines]
      .filter((one) => (one.kind === 'baseline') !== isBaseline(one))
      .map(({ id, kind }) => `${id} calls itself a ${kind}; the campaign has ${campaign.settings.baselines.length} baselines`),
  ];
};

const trialProblems = ({ experiment, trials, campaign }: BundleRecord): readonly string[] => [
  ...trials
    .filter(({ id, rung, seed, rate }) => rung !== campaign.settings.rung || id !== trialId(experiment.id, { rung, seed, rate }))
    .map(({ id, seed }) => `trial ${id} with seed ${seed} is none of ${experiment.id} on rung ${campaign.settings.rung}`),
  ...repeated(trials.map(({ id }) => id)).map((id) => `trial ${id} is there twice`),
];

const ownProblems = (record: BundleRecord): readonly string[] => {
  const { experiment, trials, scores } = record;
  const byId = new Map(trials.map((trial) => [trial.id, trial]));
  const wrong = scores.flatMap((row) => {
    const trial = byId.get(row.trialId);
    if (trial?.state !== 'scored') return [`${rowName(row)} is of no scored trial`];
    const { hash } = experiment.architecture;
    return [
      ...(row.programHash === hash ? [] : [`${rowName(row)} is about program ${row.programHash}`]),
      ...(row.checkpointHash === trial.checkpointArtifact ? [] : [`${rowName(row)} is about checkpoint ${row.checkpointHash}`]),
      ...(setsOf[trial.purpose].includes(row.set) ? [] : [`${rowName(row)} is of a trial that was run to ${trial.purpose}`]),
    ];
  });
  const unscored = trials
    .filter(({ id, state }) => state === 'scored' && !scores.some(({ trialId: of }) => of === id))
    .map(({ id }) => `trial ${id} was scored and has no row`);
  return [...wrong, ...unscored, ...setProblems(record, { id: experiment.id, scores })];
};

const othersProblems = (record: BundleRecord): readonly string[] => {
  const { campaign, experiment, scores, baselines, noise } = record;
  const known = new Map([{ id: experiment.id, scores }, ...baselines].map((one) => [one.id, one.scores]));
  return [
    ...baselines.flatMap((baseline) => [
      ...setProblems(record, baseline),
      ...baseline.scores
        .filter(({ programHash }) => programHash !== baseline.programHash)
        .map((row) => `${rowName(row)} is about program ${row.programHash}`),
    ]),
    ...repeated(baselines.map(({ id }) => id)).map((id) => `baseline ${id} is there twice`),
    ...repeated(noise.map((one) => one.experimentId)).map((id) => `the exploring rows of ${id} are there twice`),
    ...noise.flatMap(({ experimentId: id, scores: rows }) => [
      ...(campaignOf(id) === campaign.id ? [] : [`${id} is of another campaign`]),
      ...setProblems(record, { id, scores: rows }),
      ...differingNoise(id, { rows, known: known.get(id) }),
    ]),
  ];
};

/** What is told twice must be told alike. */
const differingNoise = (
  id: string,
  { rows, known }: { readonly rows: readonly Score[]; readonly known: readonly Score[] | undefined },
): readonly string[] => {
  const text = (scores: readonly Score[]): string => JSON.stringify(scores.filter(({ set }) => set === 'search'));
  const foreign = rows.filter(({ set }) => set !== 'search').map((row) => `${rowName(row)} is no exploring row`);
  return known === undefined || text(known) === text(rows)
    ? foreign
    : [...foreign, `the exploring rows of ${id} are told in two ways`];
};

/** Rows of one experiment: its own, each once, of the campaign's rung and data, and all metrics of a set or none. */
const setProblems = (
  { campaign }: BundleRecord,
  { id, scores }: { readonly id: string; readonly scores: readonly Score[] },
): readonly string[] => {
  const { rung } = campaign.settings;
  const groups = Map.groupBy(scores, ({ trialId: of, set }) => `${of} on set ${set}`);
  return [
    ...scores
      .filter((row) => row.trialId !== trialId(id, { rung, seed: row.seed, rate: rateOf(row.trialId) }) || row.rung !== rung)
      .map((row) => `${rowName(row)} with seed ${row.seed} is no row of ${id} on rung ${rung}`),
    ...scores
      .filter(({ dataHash }) => dataHash !== campaign.data.hash)
      .map((row) => `${rowName(row)} was measured on data ${row.dataHash}`),
    ...[...groups].flatMap(([name, rows]) => {
      const wanted = rungOfTrial(campaign, { rate: rateOf(rows[0]?.trialId ?? '') })
        .tasks.flatMap(({ kind }) => metricsOfTask[kind])
        .toSorted()
        .join(', ');
      const found = rows
        .map(({ metric }) => metric)
        .toSorted()
        .join(', ');
      return found === wanted ? [] : [`${name} there is ${found}; right would be ${wanted}`];
    }),
  ];
};

const rowName = ({ trialId: of, metric, set }: Score): string => `${metric} of ${of} on set ${set}`;

const repeated = (values: readonly string[]): readonly string[] => [
  ...new Set(values.filter((value, index) => values.indexOf(value) !== index)),
];

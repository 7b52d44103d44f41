import type { Effect } from '../../workflows/contracts/analysis.ts';
import type { Proposal } from '../../workflows/contracts/experiment.ts';
import type { Metric, Score } from '../../workflows/contracts/score.ts';
import type { BundleRecord } from './bundle-record.ts';
import { type BundleSource, primaryMetric } from './bundle-source.ts';

const authors: Readonly<Record<Proposal['author'], string>> = {
  baseline: 'It is a baseline: a known architecture, emitted by the same generator as the candidates.',
  evolver: 'It was found by an evolutionary search over typed mixer genomes; no language model took part.',
  agents: 'It was proposed and written by language-model agents.',
  user: 'It is a program that a user brought.',
};
const metricNames: Readonly<Record<Metric, string>> = {
  'bits-per-byte': 'bits per byte on held-out text (lower is better)',
  'recall-auc': 'associative recall, mean loss over training (lower is better)',
  'recall-accuracy': 'associative recall, share right (higher is better)',
  'copy-loss': 'selective copy, loss (lower is better)',
};

/** Plain words for a reader who was not there: what it is, what was measured, what is not claimed. */
export const modelCard = (source: BundleSource): string => {
  const { record, rung, chosen } = source;
  const { campaign, experiment } = record;
  const { proposal } = experiment;
  return [
    `# ${oneLine(proposal.name)}`,
    '',
    `A sequence mixer for language models (${experiment.id}) with the small models that it was trained in. ${authors[proposal.author]}`,
    '',
    '## What it is',
    '',
    ...quoted(proposal.motivation),
    '',
    ...changes(record),
    '## What was measured',
    '',
    verdictSentence(record),
    '',
    '| metric | this, mean over seeds | seeds | strongest baseline | its mean |',
    '| --- | --- | --- | --- | --- |',
    ...metricRows(record),
    '',
    'Each mean is over the seeds that were run; only the verdict compares common seeds.',
    '',
    ...unwalled(source.record),
    `Trained on rung \`${rung.name}\`: width ${rung.hidden}, ${rung.tasks.map((task) => `${task.kind} with ${plural(task.layers, 'layer')} for ${plural(task.steps, 'step')}`).join('; ')}. ` +
      `Data ${campaign.data.source.kind === 'stdlib' ? 'is the source text of the Python standard library' : "is the user's own text"}, hash \`${campaign.data.hash}\`.`,
    '',
    ...(experiment.analysis === null ? [] : ['## Analysis', '', ...quoted(experiment.analysis.summary), '']),
    '## What is not claimed',
    '',
    `- The models are very small (${parameterText(record)}) and saw little text. Nothing here says how the mixer does at a larger scale, on other data or in another language.`,
    `- The weights are those of seed ${chosen.seed}, the best of ${plural(record.trials.length, 'run')} by ${primaryMetric(rung)}: a good draw, not the average. The table holds the averages.`,
    '- The weights are there so that the result can be checked. They are not a useful language model.',
    '- A gain is a difference to the baselines of this campaign, trained here in the same way. It is no comparison with published numbers.',
    '- Speed was measured in plain PyTorch on the machine of the campaign, without special kernels.',
    '',
    '## How to use it',
    '',
    '`python load.py` needs only PyTorch. It checks the weights against `manifest.json`, builds the model of each task around `mixer.py`, and',
    'says whether the logits for a fixed input are those that the campaign got. `from load import load; model = load("bytes")` gives the module in evaluation mode.',
    '',
    '`mixer.py` is code that a program or a person wrote. It passed the gates in `gates.json`, which test its mathematics; they do not make it',
    'safe. Read it before you run it where it could do harm.',
    '',
    '| file | holds |',
    '| --- | --- |',
    ...contents.map(([file, what]) => `| \`${file}\` | ${what} |`),
    '',
  ].join('\n');
};

const contents = [
  ['mixer.py', 'the program: class Mixer'],
  ['load.py', 'builds the models around it'],
  ['genome.json', 'its typed description, or null for a program without one'],
  ['model.json', 'what load.py builds, and what its logits were in the campaign'],
  ['weights.safetensors', 'final weights, keys `<task>/<parameter>`'],
  ['checkpoint.safetensors', 'every snapshot that was scored, keys `<task>/<step>/<parameter>`'],
  ['record.json', 'every fact that the other files are made of: records and sealed score rows'],
  ['recipe.json', 'rung, seeds, optimiser, data hash and how to rebuild the data'],
  ['settings.json', 'settings of the campaign'],
  ['scores.json', "every score of this experiment and of the campaign's baselines"],
  ['lists.json', "the judge's sealed lists of everything that it scored"],
  ['lineage.json', 'ancestors and references with what each changed'],
  ['analysis.json', 'proposal, comparison, lessons, fitness, verdict'],
  ['gates.json', 'legality checks with their evidence'],
  ['manifest.json', 'SHA-256 of every file'],
] as const;

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** Words of a researcher or an analyst, set apart so that they cannot pass for headings of the card. */
const quoted = (text: string): readonly string[] => text.split(/\r?\n/).map((line) => `> ${line}`);

const changes = ({ experiment }: BundleRecord): readonly string[] =>
  experiment.proposal.changes.length === 0
    ? []
    : [
        experiment.parentId === null ? 'It changes:' : `Against its parent ${experiment.parentId} it changes:`,
        '',
        ...experiment.proposal.changes.map(({ gene, from, to }) => `- ${oneLine(gene)}: ${oneLine(from)} → ${oneLine(to)}`),
        '',
      ];

/** A mark for good of a result that nothing stood between the program and. */
const unwalled = ({ scores, baselines }: BundleRecord): readonly string[] => {
  const isUnwalled = [...scores, ...baselines.flatMap((baseline) => baseline.scores)].some(
    ({ sandboxTier }) => sandboxTier === 'none',
  );
  if (!isUnwalled) return [];
  return [
    '**Scored without a sandbox** (tier none, see `scores.json`): a program of that campaign had the rights of its operator and could have',
    'written any score. The numbers are worth as much as the trust in every program of the campaign.',
    '',
  ];
};

const verdictSentence = ({ experiment }: BundleRecord): string => {
  if (experiment.verdict !== null) return `On fresh seeds: ${oneLine(experiment.verdict.statement)}`;
  if (experiment.kind === 'baseline') return 'It is what candidates are compared with; there is no verdict about a baseline.';
  const effects = experiment.fitness?.effects ?? [];
  const measured = effects.length === 0 ? '' : ` While exploring: ${effects.map(effectText).join('; ')}.`;
  return `It was not among the finalists, so nothing was confirmed on fresh seeds and it is not called better than anything.${measured}`;
};

const effectText = ({ metric, mean, low, high, seeds }: Effect): string =>
  `${metric} gain over the reference ${mean.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}] on ${plural(seeds, 'common seed')}`;

const metricRows = ({ scores, baselines, experiment }: BundleRecord): readonly string[] => {
  const metrics = [...new Set(scores.map(({ metric }) => metric))].sort();
  return metrics.map((metric) => {
    const own = valuesOf(scores, metric);
    const others = baselines
      .map((baseline) => ({
        name: baseline.name ?? baseline.id,
        values: valuesOf(baseline.scores, metric),
      }))
      .filter(({ name, values }) => values.length > 0 && name !== experiment.proposal.name);
    const best = others.toSorted((a, b) => (mean(a.values) - mean(b.values)) * (metric === 'recall-accuracy' ? -1 : 1))[0];
    const against = best === undefined ? '– | –' : `${oneLine(best.name)} | ${mean(best.values).toFixed(4)}`;
    return `| ${metricNames[metric]} | ${mean(own).toFixed(4)} | ${own.length} | ${against} |`;
  });
};

const valuesOf = (scores: readonly Score[], metric: Metric): readonly number[] =>
  scores.filter((score) => score.metric === metric).map(({ value }) => value);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const parameterText = ({ experiment }: BundleRecord): string =>
  (experiment.architecture.sizes ?? [])
    .map(({ task, parameters }) => `${parameters.toLocaleString('en-US')} parameters for ${task}`)
    .join(', ') || 'their size was not recorded';

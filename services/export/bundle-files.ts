import { basename } from 'node:path';
import type { DataSource } from '../../workflows/contracts/data.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { Task } from '../../workflows/contracts/rung.ts';
import type { Score } from '../../workflows/contracts/score.ts';
import { type BundleSource, primaryMetric } from './bundle-source.ts';
import { modelCard } from './model-card.ts';
import { optimiserFacts } from './optimiser-facts.ts';

/** Texts of a bundle by file name: all of it but program, loader, weights and manifest. The same records give the same bytes. */
export const bundleTexts = (source: BundleSource): ReadonlyMap<string, string> => {
  const { experiment, proposal, architecture, campaign } = source;
  const settings = {
    ...campaign.settings,
    data: withoutPath(campaign.settings.data),
    starts: campaign.settings.starts.map((start) => basename(start)),
  };
  return new Map([
    ['model.json', json(modelOf(source))],
    ['genome.json', json(architecture.genome)],
    ['settings.json', json(settings)],
    ['recipe.json', json(recipeOf(source))],
    ['lineage.json', json(lineageOf(source))],
    ['scores.json', json(scoresOf(source))],
    [
      'analysis.json',
      json({ fitness: experiment.fitness, verdict: experiment.verdict, analysis: experiment.analysis, proposal }),
    ],
    ['gates.json', json({ gates: experiment.gates, sizes: architecture.sizes, attempts: experiment.attempts })],
    ['MODEL_CARD.md', modelCard(source)],
  ]);
};

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** What load.py builds: one language model a task. */
const modelOf = ({ rung, architecture, proposal, experiment, chosen }: BundleSource) => ({
  name: proposal.name,
  experimentId: experiment.id,
  seed: chosen.seed,
  tasks: Object.fromEntries(
    rung.tasks.map((task) => [
      task.kind,
      {
        vocabulary: vocabularyOf(task),
        hidden: rung.hidden,
        heads: rung.heads,
        layers: task.layers,
        mlpHidden:
          architecture.sizes?.find((size) => size.task === task.kind)?.mlpHidden ?? Math.round(rung.mlpRatio * rung.hidden),
        trainedLength: task.length,
      },
    ]),
  ),
});

/** Bytes are their own vocabulary. */
const vocabularyOf = (task: Task): number => (task.kind === 'bytes' ? 256 : task.vocabulary);

/** A folder on somebody's machine tells its name, not where it lies. */
const withoutPath = (source: DataSource): DataSource =>
  source.kind === 'folder' ? { kind: 'folder', path: basename(source.path) } : source;

/** What the flops gate allowed; older rows may lack it. */
const usualFlopsLimit = 1.25;

const recipeOf = ({ campaign, experiment, architecture, rung, trials, chosen }: BundleSource) => {
  const { data } = campaign;
  return {
    experimentId: experiment.id,
    programHash: architecture.hash,
    rung,
    optimiser: optimiserFacts,
    sizes: architecture.sizes,
    seeds: {
      explore: seedsOf(trials, 'explore'),
      confirm: seedsOf(trials, 'confirm'),
      exported: { seed: chosen.seed, purpose: chosen.purpose, trialId: chosen.id, chosenBy: `best ${primaryMetric(rung)}` },
    },
    check: {
      reference: campaign.settings.baselines[0],
      seed: campaign.settings.seed,
      flopsLimit: experiment.gates.find(({ gate }) => gate === 'flops')?.limit ?? usualFlopsLimit,
    },
    exportedTrial: {
      checkpointHash: chosen.checkpointArtifact,
      cpuSeconds: chosen.cpuSeconds,
      tokensPerSecond: chosen.tokensPerSecond,
      peakMemoryBytes: chosen.peakMemoryBytes,
      curve: chosen.curve,
    },
    data: {
      source: withoutPath(data.source),
      hash: data.hash,
      trainBytes: data.trainBytes,
      heldOutBytes: data.heldOutBytes,
      trainFiles: data.trainFiles,
      heldOutFiles: data.heldOutFiles,
      shards: data.shards,
      rebuild:
        data.source.kind === 'stdlib'
          ? 'Run `python -m asi_kernels prepare` with the source {"kind":"stdlib"} on the Python version below; the hash must be the same.'
          : 'Run `python -m asi_kernels prepare` with the source {"kind":"folder","path":...} on a copy of that folder; the hash must be the same.',
    },
    budgetChanges: campaign.budgetChanges ?? [],
    versions: campaign.versions,
  };
};

const seedsOf = (trials: BundleSource['trials'], purpose: 'explore' | 'confirm'): readonly number[] =>
  trials
    .filter((trial) => trial.purpose === purpose && trial.state === 'scored')
    .map(({ seed }) => seed)
    .sort((a, b) => a - b);

const lineageOf = ({ experiment, ancestors, references }: BundleSource) => ({
  campaignId: experiment.campaignId,
  ancestors: ancestors.map(relativeOf),
  self: relativeOf(experiment),
  references: references.map(relativeOf),
});

const relativeOf = ({ id, number, kind, arm, state, parentId, proposal, architecture, fitness, verdict }: Experiment) => ({
  id,
  number,
  kind,
  arm,
  state,
  parentId,
  name: proposal?.name ?? null,
  author: proposal?.author ?? null,
  operator: proposal?.operator ?? null,
  motivation: proposal?.motivation ?? null,
  changes: proposal?.changes ?? [],
  programHash: architecture?.hash ?? null,
  fitness: fitness?.value ?? null,
  verdict: verdict?.verdict ?? null,
});

const scoresOf = ({ experiment, rung, scores, baselines, proposal }: BundleSource) => ({
  primaryMetric: primaryMetric(rung),
  experiment: { id: experiment.id, name: proposal.name, scores: sorted(scores) },
  baselines: baselines.map((baseline) => ({
    id: baseline.experiment.id,
    name: baseline.experiment.proposal?.name ?? null,
    scores: sorted(baseline.scores),
  })),
});

const sorted = (scores: readonly Score[]): readonly Score[] =>
  [...scores].sort((a, b) => (`${a.trialId} ${a.metric}` < `${b.trialId} ${b.metric}` ? -1 : 1));

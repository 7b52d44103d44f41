import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkCuts, flopsLimits } from '../../workflows/contracts/gate-limits.ts';
import type { Task } from '../../workflows/contracts/rung.ts';
import type { TrialPurpose } from '../../workflows/contracts/trial.ts';
import { type BundleRecord, canonicalJson, recordName, relativeOf } from './bundle-record.ts';
import { type BundleSource, primaryMetric } from './bundle-source.ts';
import { modelCard } from './model-card.ts';
import { optimiserFacts } from './optimiser-facts.ts';

const loaderPath = fileURLToPath(new URL('./templates/load.py', import.meta.url));

/**
 * Texts of a bundle by file name: all of it but program, kernels, weights and manifest. The same record gives the same bytes; a change of what is
 * written here is another format of bundles (`formatVersion`).
 */
export const bundleTexts = (source: BundleSource): ReadonlyMap<string, string> => {
  const { experiment, campaign } = source.record;
  const { architecture, proposal } = experiment;
  return new Map([
    [recordName, canonicalJson(source.record)],
    ['model.json', canonicalJson(modelOf(source))],
    ['genome.json', canonicalJson(architecture.genome)],
    ['settings.json', canonicalJson(campaign.settings)],
    ['recipe.json', canonicalJson(recipeOf(source))],
    ['lineage.json', canonicalJson(lineageOf(source))],
    ['scores.json', canonicalJson(scoresOf(source))],
    [
      'analysis.json',
      canonicalJson({ fitness: experiment.fitness, verdict: experiment.verdict, analysis: experiment.analysis, proposal }),
    ],
    ['gates.json', canonicalJson({ gates: experiment.gates, sizes: architecture.sizes, attempts: experiment.attempts })],
    ['MODEL_CARD.md', modelCard(source)],
    ['load.py', readFileSync(loaderPath, 'utf8')],
  ]);
};

/** What load.py builds: one language model a task. */
const modelOf = ({ rung, record: { experiment }, chosen }: BundleSource) => ({
  name: experiment.proposal.name,
  experimentId: experiment.id,
  seed: chosen.seed,
  madeWith: chosen.fixedLogits === undefined ? null : { torch: chosen.fixedLogits.torch, platform: chosen.fixedLogits.platform },
  tasks: Object.fromEntries(
    rung.tasks.map((task) => [
      task.kind,
      {
        vocabulary: vocabularyOf(task),
        hidden: rung.hidden,
        heads: rung.heads,
        layers: task.layers,
        mlpHidden:
          experiment.architecture.sizes?.find((size) => size.task === task.kind)?.mlpHidden ??
          Math.round(rung.mlpRatio * rung.hidden),
        trainedLength: task.length,
        logits: chosen.fixedLogits?.tasks.find((one) => one.task === task.kind) ?? null,
      },
    ]),
  ),
});

/** Bytes are their own vocabulary. */
const vocabularyOf = (task: Task): number => (task.kind === 'bytes' ? 256 : task.vocabulary);

const recipeOf = ({ record: { campaign, experiment, trials }, rung, chosen }: BundleSource) => {
  const { data } = campaign;
  const { architecture } = experiment;
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
      cuts: checkCuts,
      flopsLimit: flopsLimits[experiment.kind],
    },
    exportedTrial: {
      checkpointHash: chosen.checkpointArtifact,
      cpuSeconds: chosen.cpuSeconds,
      tokensPerSecond: chosen.tokensPerSecond,
      peakMemoryBytes: chosen.peakMemoryBytes,
      curve: chosen.curve,
    },
    data: {
      source: data.source,
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
    budgetChanges: campaign.budgetChanges,
    versions: campaign.versions,
  };
};

const seedsOf = (trials: BundleRecord['trials'], purpose: TrialPurpose): readonly number[] =>
  trials
    .filter((trial) => trial.purpose === purpose && trial.state === 'scored')
    .map(({ seed }) => seed)
    .sort((a, b) => a - b);

const lineageOf = ({ record: { experiment, ancestors, references } }: BundleSource) => ({
  campaignId: experiment.campaignId,
  ancestors,
  self: relativeOf(experiment),
  references,
});

const scoresOf = ({ record: { experiment, scores, baselines }, rung }: BundleSource) => ({
  primaryMetric: primaryMetric(rung),
  experiment: { id: experiment.id, name: experiment.proposal.name, scores },
  baselines: baselines.map((baseline) => ({ id: baseline.id, name: baseline.name, scores: baseline.scores })),
});

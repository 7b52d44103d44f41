import type { Archive } from '../../../services/archive/archive.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import type { Campaign, Conclusion } from '../../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../../workflows/contracts/experiment.ts';
import type { FailureLabel } from '../../../workflows/contracts/failure.ts';
import type { Genome } from '../../../workflows/contracts/genome.ts';
import { experimentId, trialId } from '../../../workflows/contracts/ids.ts';
import type { Score } from '../../../workflows/contracts/score.ts';
import { presets } from '../../../workflows/contracts/settings.ts';
import type { Trial } from '../../../workflows/contracts/trial.ts';
import { createRandom, type Random } from '../../../workflows/rules/random.ts';
import { confirmationDesign } from '../../../workflows/rules/sequential-design.ts';
import { noiseFloor, pairedEffect, type SeedValues } from '../../../workflows/rules/statistics.ts';
import { concludeFrom, judgeFinalist } from '../../../workflows/rules/verdict.ts';
import { aCampaign, aFailure, aHash, anAnalysis, anExperiment, aProposal, aScore, aTrial } from '../../support/builders.ts';

/**
 * A campaign as the loop would have written it, with made losses: a level for each architecture, a common effect of each seed
 * and a residual, so that intervals, verdicts and curves belong together. No number here was measured.
 */
export interface MadeCampaign {
  readonly campaign: Campaign;
  readonly experiments: readonly Experiment[];
  readonly trials: readonly Trial[];
  readonly scores: readonly Score[];
}

export interface MadeOptions {
  readonly id?: string;
  readonly seed?: number;
  readonly numCandidates: number;
  readonly state?: Campaign['state'];
  /** A name for every record's free text, to see what becomes of it. */
  readonly text?: string;
}

const exploreSeeds = [1, 2];
const confirmSeeds = [1001, 1002, 1003];
const startMs = Date.parse('2026-11-21T10:00:00.000Z');
const after = (minutes: number): string => new Date(startMs + minutes * 60_000).toISOString();
const levels = { deltanet: 2.95, 'gated-deltanet': 2.88, kda: 2.85, 'deltanet-fir-gate': 2.6 } as const;
const failures: readonly FailureLabel[] = ['gate', 'gate', 'duplicate', 'hopeless', 'nonfinite'];

export const makeCampaign = ({ id = 'c-made', seed = 1, numCandidates, state = 'finished', text }: MadeOptions): MadeCampaign => {
  const random = createRandom(`made/${seed}`);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const seedEffects = new Map([...exploreSeeds, ...confirmSeeds].map((one) => [one, 0.04 * normal()]));
  const make: Make = {
    id,
    random,
    normal,
    seedEffects,
    experiments: [],
    trials: [],
    scores: [],
    levelOf: new Map(),
    ...(text === undefined ? {} : { text }),
  };
  for (const [name, level] of Object.entries(levels)) addBaseline(make, name as keyof typeof levels, level);
  for (let index = 0; index < numCandidates; index++) addCandidate(make, index);
  const values = (experiment: string, seeds: readonly number[]): SeedValues =>
    new Map(
      make.scores
        .filter((row) => row.metric === 'bits-per-byte' && row.trialId.startsWith(`${experiment}/`) && seeds.includes(row.seed))
        .map((row) => [row.seed, row.value]),
    );
  const baselines = new Map(make.experiments.slice(0, 4).map((one) => [one.id, values(one.id, exploreSeeds)]));
  const noise = (['bits-per-byte', 'recall-auc'] as const).flatMap((metric) => {
    const table =
      metric === 'bits-per-byte'
        ? baselines
        : new Map(
            [...baselines].map(([key, row]) => [
              key,
              new Map([...row].map(([one, value]) => [one, value * 0.4 + 0.1 * normal()])),
            ]),
          );
    return (
      noiseFloor({
        metric,
        baselines: table,
        design: confirmationDesign({ confirmSeeds: 3, confirmSeedsMax: 3, finalists: 2 }),
        exploreSeeds: 2,
      }) ?? []
    );
  });
  const bits = noise[0] ?? null;
  const reference = experimentId(id, 1);
  const withFitness = make.experiments.map((one) => {
    const effect = pairedEffect({
      metric: 'bits-per-byte',
      candidate: values(one.id, exploreSeeds),
      reference: values(reference, exploreSeeds),
      noise: bits,
    });
    return effect === null || one.state !== 'recorded'
      ? one
      : { ...one, fitness: { rule: 'paired-gain' as const, value: effect.mean, effects: [effect] } };
  });
  const conclusion = state === 'finished' ? conclude(make, { experiments: withFitness, values, noise: bits }) : null;
  return {
    campaign: aCampaign({
      id,
      state,
      settings: { ...presets.quick, experiments: numCandidates },
      noise,
      conclusion: conclusion?.conclusion ?? null,
      createdAt: after(0),
      updatedAt: after(5),
      finishedAt: state === 'finished' ? after(4.5) : null,
    }),
    experiments: conclusion?.experiments ?? withFitness,
    trials: make.trials,
    scores: make.scores,
  };
};

/** Writes it all; the archive must be empty of it. */
export const storeCampaign = async (archive: Archive, made: MadeCampaign): Promise<void> => {
  await archive.createCampaign(made.campaign);
  for (const experiment of made.experiments) await archive.createExperiment(experiment);
  for (const trial of made.trials) await archive.createTrial(trial);
  await archive.appendScores(made.scores);
  for (const trial of made.trials)
    await archive.appendLedger({
      id: `${trial.id}#settle`,
      campaignId: made.campaign.id,
      purpose: trial.id,
      kind: 'settle',
      resource: 'trial-seconds',
      amount: trial.cpuSeconds,
      at: trial.createdAt,
    });
};

interface Make {
  readonly id: string;
  readonly text?: string;
  readonly random: Random;
  readonly normal: () => number;
  readonly seedEffects: ReadonlyMap<number, number>;
  readonly experiments: Experiment[];
  readonly trials: Trial[];
  readonly scores: Score[];
  readonly levelOf: Map<string, number>;
}

const addBaseline = (make: Make, name: keyof typeof levels, level: number): void => {
  const number = make.experiments.length + 1;
  const experiment = anExperiment({
    id: experimentId(make.id, number),
    campaignId: make.id,
    number,
    kind: 'baseline',
    arm: 'none',
    state: 'recorded',
    proposal: aProposal({
      name,
      author: 'baseline',
      operator: 'baseline',
      changes: [],
      genome: baselineGenomes[name],
      motivation: `The published architecture ${name}.`,
    }),
    fitness: null,
    createdAt: after(0),
    finishedAt: after(0.2 * number),
  });
  make.experiments.push(experiment);
  run(make, experiment, { level, seeds: exploreSeeds, purpose: 'explore' });
};

const geneEdits: readonly {
  readonly gene: string;
  readonly from: string;
  readonly to: string;
  readonly edit: (genome: Genome) => Genome;
  readonly gain: number;
}[] = [
  { gene: 'fir', from: 'none', to: '3, 15', edit: (genome) => ({ ...genome, fir: [3, 15], router: 'sigmoid' }), gain: 0.2 },
  {
    gene: 'decay.kind',
    from: 'none',
    to: 'vector-data',
    edit: (genome) => ({ ...genome, decay: { ...genome.decay, kind: 'vector-data' } }),
    gain: 0.05,
  },
  {
    gene: 'write.beta',
    from: 'sigmoid',
    to: 'double-sigmoid',
    edit: (genome) => ({ ...genome, write: { ...genome.write, beta: 'double-sigmoid' } }),
    gain: -0.02,
  },
  {
    gene: 'output.gate',
    from: 'none',
    to: 'low-rank',
    edit: (genome) => ({ ...genome, output: { ...genome.output, gate: 'low-rank' } }),
    gain: 0.03,
  },
  { gene: 'featureMap', from: 'silu', to: 'relu', edit: (genome) => ({ ...genome, featureMap: 'relu' }), gain: -0.1 },
  { gene: 'valueMix', from: 'none', to: 'sigmoid-mix', edit: (genome) => ({ ...genome, valueMix: 'sigmoid-mix' }), gain: 0.06 },
];

const addCandidate = (make: Make, index: number): void => {
  const { random, normal } = make;
  const number = make.experiments.length + 1;
  const isControl = random.next() < 0.15;
  const recorded = make.experiments.filter(({ state }) => state === 'recorded');
  const parent = isControl
    ? undefined
    : random.pick(recorded.toSorted((a, b) => (make.levelOf.get(a.id) ?? 9) - (make.levelOf.get(b.id) ?? 9)).slice(0, 6));
  const { edit, gain, ...change } = random.pick(geneEdits);
  const genome = edit(parent?.proposal?.genome ?? baselineGenomes.deltanet);
  const failed = index > 1 && random.next() < 0.25 ? random.pick(failures) : null;
  const end: Experiment['state'] =
    failed === null ? 'recorded' : failed === 'gate' || failed === 'duplicate' ? 'rejected' : 'failed';
  const level = Math.max(1.9, (parent === undefined ? 3 : (make.levelOf.get(parent.id) ?? 3)) - 0.35 * gain + 0.05 * normal());
  const experiment = anExperiment({
    id: experimentId(make.id, number),
    campaignId: make.id,
    number,
    arm: isControl ? 'control' : 'policy',
    state: end,
    parentId: parent?.id ?? null,
    ancestors: parent === undefined ? [] : [...parent.ancestors, parent.id],
    proposal: aProposal({
      name: make.text ?? `${parent?.proposal?.name.split(' + ')[0] ?? 'random'} + ${change.gene} ${change.to} ${number}`,
      motivation: make.text ?? `${change.gene} becomes ${change.to}: the parent loses what short paths would keep.`,
      expectedEffect: make.text ?? 'Lower loss on bytes, recall unchanged.',
      changes: [
        {
          gene: make.text ?? change.gene,
          from: make.text ?? change.from,
          to: make.text ?? change.to,
          recurrence: change.gene !== 'fir',
        },
      ],
      genome,
    }),
    fitness: null,
    ...(end === 'recorded'
      ? { analysis: anAnalysis({ summary: make.text ?? 'Gained over its parent on 2 common seeds.' }) }
      : {}),
    failure:
      failed === null
        ? null
        : aFailure({
            label: failed,
            detail: make.text ?? `${failed}: seen at step 40, and that is over the limit`,
            stage: end === 'failed' ? 'train' : 'check',
          }),
    createdAt: after(1 + index * 0.3),
    finishedAt: after(1.3 + index * 0.3),
  });
  make.experiments.push(experiment);
  if (end !== 'rejected') run(make, experiment, { level, seeds: exploreSeeds, purpose: 'explore' });
};

const shares = [
  ['train', 0.8],
  ['answer', 0.12],
  ['judge', 0.08],
] as const;

const run = (
  make: Make,
  experiment: Experiment,
  { level, seeds, purpose }: { readonly level: number; readonly seeds: readonly number[]; readonly purpose: Trial['purpose'] },
): void => {
  make.levelOf.set(experiment.id, level);
  for (const seed of seeds) {
    const bits = level + (make.seedEffects.get(seed) ?? 0) + 0.015 * make.normal();
    const isLost = experiment.state === 'failed';
    const lastStep = isLost ? 40 : 80;
    const curve = Array.from({ length: lastStep / 5 }, (_, index) => {
      const step = 5 * (index + 1);
      return { task: 'bytes', step, loss: bits * Math.LN2 + 3.2 * Math.exp(-step / 18), cpuSeconds: step / 10 };
    });
    const recall = Array.from({ length: isLost ? 0 : 12 }, (_, index) => {
      const step = 5 * (index + 1);
      return { task: 'recall', step, loss: 0.5 + 3 / (1 + Math.exp((step - 30 - 8 * level) / 6)), cpuSeconds: 8 + step / 20 };
    });
    const cpuSeconds = isLost ? 5 : 10 + make.random.next();
    const trial = aTrial({
      id: trialId(experiment.id, { rung: 'quick', seed }),
      experimentId: experiment.id,
      rung: 'quick',
      seed,
      purpose,
      state: isLost ? 'failed' : 'scored',
      curve: [...curve, ...recall],
      cpuSeconds,
      spent: (isLost ? [['train', 1] as const] : shares).map(([work, share]) => ({
        runId: `${work} of ${seed}`,
        work,
        seconds: share * cpuSeconds,
      })),
      ...(isLost ? { failure: experiment.failure } : {}),
    });
    make.trials.push(trial);
    if (isLost) continue;
    const row = { trialId: trial.id, seed, rung: 'quick', programHash: experiment.architecture?.hash ?? aHash() };
    const recallLoss = Math.max(0.2, 1.1 + 0.5 * (2.9 - level) + 0.2 * make.normal());
    make.scores.push(
      aScore({ ...row, metric: 'bits-per-byte', value: bits }),
      aScore({ ...row, metric: 'recall-auc', value: recallLoss }),
      aScore({ ...row, metric: 'recall-accuracy', value: 1 / (1 + recallLoss) }),
    );
  }
};

interface Judging {
  readonly experiments: readonly Experiment[];
  readonly values: (experiment: string, seeds: readonly number[]) => SeedValues;
  readonly noise: Campaign['noise'][number] | null;
}

const conclude = (
  make: Make,
  { experiments, values, noise }: Judging,
): { readonly conclusion: Conclusion; readonly experiments: readonly Experiment[] } => {
  const finalists = experiments
    .filter(({ kind, fitness }) => kind === 'candidate' && fitness !== null)
    .toSorted((a, b) => (b.fitness?.value ?? 0) - (a.fitness?.value ?? 0))
    .slice(0, 2);
  const rivals = [experiments[0], experiments[3]].filter((one) => one !== undefined);
  for (const one of finalists.length === 0 ? [] : [...rivals, ...finalists])
    run(make, one, { level: make.levelOf.get(one.id) ?? 3, seeds: confirmSeeds, purpose: 'confirm' });
  const judged = finalists.flatMap((finalist) => {
    const verdict = judgeFinalist({
      metric: 'bits-per-byte',
      candidate: values(finalist.id, confirmSeeds),
      baselines: rivals.map((rival) => ({ name: rival.proposal?.name ?? '', values: values(rival.id, confirmSeeds) })),
      noise:
        noise === null
          ? null
          : { squares: noise.pairedSd ** 2 * noise.degreesOfFreedom, degreesOfFreedom: noise.degreesOfFreedom },
      design: confirmationDesign({ confirmSeeds: 3, confirmSeedsMax: 3, finalists: finalists.length }),
      look: 0,
      seeds: confirmSeeds,
    });
    return verdict === null ? [] : [{ finalist, verdict, name: finalist.proposal?.name ?? '' }];
  });
  const verdictOf = new Map(judged.map(({ finalist, verdict }) => [finalist.id, verdict]));
  return {
    conclusion: {
      ...concludeFrom(judged, null),
      finalists: judged.map(({ finalist, name, verdict }) => ({
        experimentId: finalist.id,
        name,
        effect: verdict.effect,
        verdict: verdict.statement,
      })),
      reportPath: null,
      bundlePaths: [],
    },
    experiments: experiments.map((one) => ({ ...one, verdict: verdictOf.get(one.id) ?? null })),
  };
};

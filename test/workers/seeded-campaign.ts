import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Archive } from '../../services/archive/archive.ts';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import { openFolderArtifacts } from '../../services/artifacts/folder-artifacts.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { experimentId, trialId } from '../../workflows/contracts/ids.ts';
import type { CampaignStatus } from '../../workflows/contracts/messages.ts';
import { presets } from '../../workflows/contracts/settings.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import {
  aCampaign,
  aConclusion,
  aFailure,
  aFitness,
  anArchitecture,
  anEffect,
  anExperiment,
  aProposal,
  aScore,
  aTrial,
  aVerdict,
} from '../support/builders.ts';

export const seededId = 'c-seeded';
const id = (number: number): string => experimentId(seededId, number);

const program = (name: string): string =>
  `class Mixer:\n    """${name}"""\n\n    def forward(self, x, state=None):\n        return x, state\n`;

/**
 * A finished campaign: the reference, a second baseline, a winner that grew from the second baseline, a candidate that cannot be
 * told from it, a rejected one and a failed one.
 */
export const seedCampaign = async (archive: Archive, artifacts: Artifacts): Promise<void> => {
  const verdict = aVerdict({
    effect: anEffect({ mean: 0.04, low: 0.012, high: 0.068, seeds: 3 }),
    statement: 'Better than gated-deltanet by 0.0400 bits per byte [0.0120, 0.0680] on 3 fresh seeds.',
    against: 'gated-deltanet',
  });
  await archive.createCampaign(
    aCampaign({
      id: seededId,
      state: 'finished',
      settings: { ...presets.quick, experiments: 4, baselines: ['deltanet', 'gated-deltanet'] },
      noise: [{ metric: 'bits-per-byte', pairedSd: 0.011, degreesOfFreedom: 3, minimumDetectable: 0.03 }],
      conclusion: aConclusion({
        verdict: 'better',
        statement:
          'vector-decay is better than every compared baseline: 0.0400 bits per byte [0.0120, 0.0680] over gated-deltanet.',
        finalists: [{ experimentId: id(3), name: 'vector-decay', effect: verdict.effect, verdict: 'better' }],
        reportPath: '/state/reports/c-seeded.html',
        bundlePaths: ['/state/bundles/c-seeded-e0003'],
      }),
    }),
  );
  const hashes = await Promise.all(
    ['deltanet', 'gated-deltanet', 'vector-decay', 'wide-fir'].map((name) => artifacts.put(program(name))),
  );
  for (const experiment of seededExperiments(hashes, verdict)) await archive.createExperiment(experiment);
  for (const trial of seededTrials()) {
    await archive.createTrial(trial);
    const value = 2.6 - 0.02 * Number(trial.experimentId.slice(-1)) + 0.001 * trial.seed;
    await archive.appendScores([
      aScore({ trialId: trial.id, value }),
      aScore({ trialId: trial.id, metric: 'recall-accuracy', value: 0.4 }),
    ]);
  }
};

const seededExperiments = (hashes: readonly string[], verdict: Experiment['verdict']): readonly Experiment[] => {
  const architecture = (index: number) => anArchitecture({ hash: hashes[index] ?? '' });
  const baseline = (name: string) => aProposal({ name, author: 'baseline', operator: 'baseline', changes: [] });
  const child = { campaignId: seededId, parentId: id(2), ancestors: [id(2)], referenceIds: [id(1)] };
  return [
    anExperiment({
      campaignId: seededId,
      number: 1,
      kind: 'baseline',
      arm: 'none',
      state: 'recorded',
      proposal: baseline('deltanet'),
      architecture: architecture(0),
      fitness: { rule: 'paired-gain', value: 0, effects: [] },
    }),
    anExperiment({
      campaignId: seededId,
      number: 2,
      kind: 'baseline',
      arm: 'none',
      state: 'recorded',
      proposal: baseline('gated-deltanet'),
      architecture: architecture(1),
      fitness: aFitness({ value: 0.02 }),
    }),
    anExperiment({
      ...child,
      number: 3,
      state: 'recorded',
      proposal: aProposal({
        name: 'vector-decay',
        operator: 'mutate:decay',
        changes: [{ gene: 'decay.kind', from: 'scalar-data', to: 'vector-data', recurrence: true }],
      }),
      architecture: architecture(2),
      fitness: aFitness({ value: 0.06 }),
      verdict,
    }),
    anExperiment({
      ...child,
      number: 4,
      state: 'recorded',
      proposal: aProposal({ name: 'wide-fir', changes: [{ gene: 'fir', from: 'none', to: '3, 31', recurrence: false }] }),
      architecture: architecture(3),
      fitness: aFitness({ value: 0.01 }),
    }),
    anExperiment({
      ...child,
      number: 5,
      parentId: id(3),
      ancestors: [id(2), id(3)],
      state: 'rejected',
      proposal: aProposal({ name: 'peeks-ahead' }),
      failure: aFailure({ detail: 'causality: the output at position 3 changes with the input at position 5' }),
    }),
    anExperiment({
      ...child,
      number: 6,
      state: 'failed',
      proposal: aProposal({ name: 'no-norm' }),
      failure: aFailure({ label: 'nonfinite', stage: 'train', detail: 'loss is NaN at step 41 of 80' }),
    }),
  ];
};

const seededTrials = (): readonly Trial[] =>
  [1, 2, 3, 4].flatMap((number) => {
    const base = { experimentId: id(number), rung: 'quick', state: 'scored' } as const;
    const explore = [1, 2].map((seed) => aTrial({ ...base, seed, curve: fallingCurve(seed) }));
    const confirm = number === 4 ? [] : [101, 102, 103].map((seed) => aTrial({ ...base, seed, purpose: 'confirm' }));
    return [...explore, ...confirm];
  });

/** Points of a curve that falls as training curves do. */
export const fallingCurve = (seed: number, steps = 80): Trial['curve'] =>
  Array.from({ length: 16 }, (_, index) => ({
    task: 'bytes',
    step: Math.round(((index + 1) * steps) / 16),
    loss: 5.5 * 0.9 ** index + 0.01 * seed,
    cpuSeconds: index / 2,
  }));

/** A running trial of an experiment, at its last point of the curve. */
export const aRunningTrial = (number: number, seed = 1, purpose: Trial['purpose'] = 'explore'): Trial =>
  aTrial({
    id: trialId(id(number), { rung: 'quick', seed }),
    experimentId: id(number),
    rung: 'quick',
    seed,
    purpose,
    state: 'running',
    curve: fallingCurve(seed, 40),
  });

export const aBudget: NonNullable<CampaignStatus['budget']> = {
  experiments: { used: 3, cap: 10 },
  minutes: { used: 2.345, cap: 30 },
  trialSeconds: { used: 61.2, reserved: 240, cap: 3600 },
};

export const aStatus = (part: Partial<CampaignStatus> = {}): CampaignStatus => ({
  campaignId: seededId,
  state: 'exploring',
  stage: 'proposing, checking and training candidates',
  notices: [],
  inFlight: [id(3), id(4)],
  finished: { recorded: 2, rejected: 1, failed: 0, cancelled: 0 },
  budget: aBudget,
  best: [
    {
      experimentId: id(2),
      name: 'gated-deltanet',
      kind: 'baseline',
      fitness: 0.02,
      gain: anEffect({ mean: 0.02, low: 0.004, high: 0.036 }),
      changed: '',
      verdict: null,
    },
    { experimentId: id(1), name: 'deltanet', kind: 'baseline', fitness: 0, gain: null, changed: '', verdict: null },
  ],
  lastFailures: [
    { experimentId: id(5), label: 'gate', detail: 'causality: the output at position 3 changes with the input at position 5' },
  ],
  hints: [],
  conclusion: null,
  ...part,
});

/** The seeded records, read back from an archive of their own. */
export const openSeeded = async (): Promise<{ readonly campaign: Campaign; readonly experiments: readonly Experiment[] }> => {
  const folder = mkdtempSync(join(tmpdir(), 'asi-seeded-'));
  const archive = openSqliteArchive(join(folder, 'archive.db'));
  try {
    await seedCampaign(archive, openFolderArtifacts(join(folder, 'artifacts')));
    const campaign = await archive.getCampaign(seededId);
    if (campaign === null) throw new Error(`${seededId} was not stored`);
    return { campaign, experiments: await archive.listExperiments(seededId) };
  } finally {
    await archive.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

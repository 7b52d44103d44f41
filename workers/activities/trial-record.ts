import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Archive } from '../../services/archive/archive.ts';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import type { TrialDispatcher } from '../../services/dispatch/dispatcher.ts';
import type { Judge } from '../../services/judge/judge.ts';
import type { StepResult, TrialInput } from '../../workflows/contracts/activities.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { Failure, FailureLabel } from '../../workflows/contracts/failure.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import { requireCampaign, requireExperiment } from './experiment-record.ts';
import { infra, isCancelRequested } from './heartbeat.ts';
import type { SandboxDependencies } from './sandbox-tier.ts';
import { settleSeconds } from './trial-budget.ts';
import type { TrialPeers } from './trial-peers.ts';
import { workdirOf } from './workdir.ts';

export interface TrainingDependencies extends SandboxDependencies {
  readonly archive: Archive;
  readonly artifacts: Artifacts;
  readonly dispatcher: TrialDispatcher;
  readonly judge: Judge;
  /** Folder that holds a work folder per trial while it runs. */
  readonly workFolder: string;
  readonly now: () => Date;
  readonly peers: TrialPeers;
  /** Longest silence of a trial: building the first model and a slow first step fit many times over. */
  readonly idleSeconds: number;
}

export interface TrialContext {
  readonly campaign: Campaign;
  readonly experiment: Experiment;
  readonly programHash: string;
  readonly workdir: string;
}

export const readContext = async ({ archive, workFolder }: TrainingDependencies, input: TrialInput): Promise<TrialContext> => {
  const experiment = await requireExperiment(archive, input.experimentId);
  const campaign = await requireCampaign(archive, experiment.campaignId);
  if (experiment.architecture?.sizes == null) throw infra(`experiment ${experiment.id} has no checked architecture`);
  return {
    campaign,
    experiment,
    programHash: experiment.architecture.hash,
    workdir: workdirOf(workFolder, input.trialId),
  };
};

export const openTrial = async (
  { archive, now }: TrainingDependencies,
  input: TrialInput,
  { campaign }: TrialContext,
): Promise<Trial> => {
  const at = now().toISOString();
  const { value } = await archive.createTrial({
    id: input.trialId,
    experimentId: input.experimentId,
    rung: campaign.settings.rung,
    seed: input.seed,
    purpose: input.purpose,
    ...(input.rate === undefined ? {} : { rate: input.rate }),
    state: 'queued',
    epoch: 0,
    curve: [],
    checkpointArtifact: null,
    cpuSeconds: 0,
    tokensPerSecond: null,
    peakMemoryBytes: null,
    failure: null,
    createdAt: at,
    updatedAt: at,
  });
  return value;
};

/** A retry of a step that already ended answers with what is stored. */
export const storedEnd = (trial: Trial, done: readonly Trial['state'][]): StepResult | null => {
  if (done.includes(trial.state)) return { ok: true };
  if (trial.failure !== null && (trial.state === 'failed' || trial.state === 'cancelled')) {
    return { ok: false, label: trial.failure.label, detail: trial.failure.detail };
  }
  return null;
};

export interface TrialFailure {
  readonly trial: Trial;
  readonly label: FailureLabel;
  readonly detail: string;
  readonly cpuSeconds: number;
  readonly log: string;
  readonly stage: 'train' | 'score';
  readonly curve?: Trial['curve'];
}

/** Writes the end of a trial that failed by itself. Outages are thrown instead, so that the same trial is tried again and resumes. */
export const recordFailure = async (dependencies: TrainingDependencies, failed: TrialFailure): Promise<StepResult> => {
  const { archive, artifacts } = dependencies;
  const { trial, label, detail, stage } = failed;
  if (label === 'infra') throw infra(detail);
  // Its worker is told to end, or the server has given this attempt up: the trial goes on elsewhere from its checkpoint.
  if (label === 'cancelled' && !isCancelRequested()) throw infra(`the attempt at ${trial.id} was given up: ${detail}`);
  const failure: Failure = {
    label,
    detail: detail.slice(0, 4000),
    stage,
    logArtifact: failed.log === '' ? null : await artifacts.put(failed.log),
  };
  await settleSeconds(dependencies, trial.id, failed.cpuSeconds);
  await archive.updateTrial(trial.id, trial.epoch, {
    state: label === 'cancelled' ? 'cancelled' : 'failed',
    failure,
    cpuSeconds: failed.cpuSeconds,
    ...(failed.curve === undefined ? {} : { curve: failed.curve }),
  });
  // A cancelled activity must end as cancelled, so that Temporal knows that it obeyed.
  if (label === 'cancelled') await Context.current().cancelled;
  return { ok: false, label, detail: failure.detail };
};

export const refuse = async (
  { archive }: TrainingDependencies,
  trial: Trial,
  end: { readonly label: FailureLabel; readonly detail: string },
): Promise<StepResult> => {
  await archive.updateTrial(trial.id, trial.epoch, {
    state: 'cancelled',
    failure: { ...end, stage: 'train', logArtifact: null },
  });
  return { ok: false, ...end };
};

export const materialise = async (
  { artifacts }: TrainingDependencies,
  { programHash, workdir }: TrialContext,
): Promise<string> => {
  await mkdir(workdir, { recursive: true });
  const path = join(workdir, 'mixer.py');
  if (!(await artifacts.getFile(programHash, path))) throw infra(`program ${programHash} is not among the artifacts`);
  return path;
};

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type * as z from 'zod';
import type { Archive } from '../../services/archive/archive.ts';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import type { Job, JobEnd, TrialDispatcher } from '../../services/dispatch/dispatcher.ts';
import type { HostFacts } from '../../services/python/host.ts';
import type { StepResult, TrainingActivities, TrialInput } from '../../workflows/contracts/activities.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { Failure, FailureLabel } from '../../workflows/contracts/failure.ts';
import { rungs } from '../../workflows/contracts/rung.ts';
import { type Score, scoreSchema } from '../../workflows/contracts/score.ts';
import {
  type ScoreRequest,
  scoreResultSchema,
  type TrainProgress,
  type TrainRequest,
  type Trial,
  trainResultSchema,
} from '../../workflows/contracts/trial.ts';
import { referenceId } from './calibrate.ts';
import { requireCampaign, requireExperiment } from './experiment-record.ts';
import { infra, isCancelRequested, withHeartbeat } from './heartbeat.ts';
import { createLiveCurve } from './live-curve.ts';
import { plainFileInside } from './plain-file.ts';
import { createWatch } from './training-watch.ts';
import { reserveSeconds, settleSeconds } from './trial-budget.ts';
import type { TrialPeers } from './trial-peers.ts';

export interface TrainingDependencies {
  readonly archive: Archive;
  readonly artifacts: Artifacts;
  readonly dispatcher: TrialDispatcher;
  readonly hostFacts: () => Promise<HostFacts>;
  /** Folder that holds a work folder per trial while it runs. */
  readonly workFolder: string;
  readonly now: () => Date;
  readonly peers: TrialPeers;
  /** Longest silence of a trial: building the first model and a slow first step fit many times over. */
  readonly idleSeconds: number;
}

interface TrialContext {
  readonly campaign: Campaign;
  readonly experiment: Experiment;
  readonly programHash: string;
  readonly workdir: string;
}

const memoryLimitBytes = 3 * 1024 ** 3;
const logLimitBytes = 1024 * 1024;
const checkpointEverySteps = 20;
const reportEverySteps = 5;
/** Shortest time between two writes of a running trial's curve. */
const curveGapMs = 1000;

/** Dispatcher activities of the `training` queue. What a candidate does is a value; outages are thrown and retried. */
export const createTrainingActivities = (dependencies: TrainingDependencies): TrainingActivities => ({
  async trainTrial(input) {
    const context = await readContext(dependencies, input);
    const trial = await openTrial(dependencies, input, context);
    const ended = storedEnd(trial, ['trained', 'scored']);
    if (ended !== null) return ended;
    if (!(await reserveSeconds(dependencies, input.trialId))) {
      return await refuse(dependencies, trial, {
        label: 'budget',
        detail: 'the cap on trial seconds was reached before this trial could start',
      });
    }
    return await train(dependencies, { input, context });
  },

  async scoreTrial(input) {
    const context = await readContext(dependencies, input);
    const trial = await dependencies.archive.getTrial(input.trialId);
    if (trial === null) throw infra(`trial ${input.trialId} is not in the archive`);
    const ended = storedEnd(trial, ['scored']);
    if (ended !== null) return ended;
    return await score(dependencies, { input, context, trial });
  },
});

const readContext = async ({ archive, workFolder }: TrainingDependencies, input: TrialInput): Promise<TrialContext> => {
  const experiment = await requireExperiment(archive, input.experimentId);
  const campaign = await requireCampaign(archive, experiment.campaignId);
  if (experiment.architecture?.sizes == null) throw infra(`experiment ${experiment.id} has no checked architecture`);
  return {
    campaign,
    experiment,
    programHash: experiment.architecture.hash,
    workdir: join(workFolder, ...input.trialId.split('/')),
  };
};

const openTrial = async (
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
const storedEnd = (trial: Trial, done: readonly Trial['state'][]): StepResult | null => {
  if (done.includes(trial.state)) return { ok: true };
  if (trial.failure !== null && (trial.state === 'failed' || trial.state === 'cancelled')) {
    return { ok: false, label: trial.failure.label, detail: trial.failure.detail };
  }
  return null;
};

const train = async (
  dependencies: TrainingDependencies,
  { input, context }: { input: TrialInput; context: TrialContext },
): Promise<StepResult> => {
  const { archive, dispatcher } = dependencies;
  const claimed = await archive.claimTrial(input.trialId);
  if (!claimed.ok) {
    const ended = claimed.current === null ? null : storedEnd(claimed.current, ['trained', 'scored']);
    if (ended !== null) return ended;
    throw infra(`trial ${input.trialId} cannot be claimed: ${claimed.reason}`);
  }
  const request: TrainRequest = {
    trialId: input.trialId,
    programPath: await materialise(dependencies, context),
    programHash: context.programHash,
    rung: rungs[context.campaign.settings.rung],
    sizes: context.experiment.architecture?.sizes ?? [],
    seed: input.seed,
    data: context.campaign.data,
    checkpointEvery: checkpointEverySteps,
    reportEvery: reportEverySteps,
  };
  const peers = await dependencies.peers.curves(context.campaign.id);
  const watch = createWatch({
    peers,
    kind: context.experiment.kind,
    referenceTokensPerCpuSecond:
      peers.find((peer) => peer.id.startsWith(`${referenceId(context.campaign.id)}/`))?.tokensPerSecond ?? null,
    pairedSdBits: context.campaign.noise.find((floor) => floor.metric === 'bits-per-byte')?.pairedSd ?? null,
  });
  const live = createLiveCurve({ archive, trial: claimed.value, gapMs: curveGapMs, now: dependencies.now });
  const end = await runJob(
    dispatcher,
    job(dependencies, `${input.trialId}#train`, 'train', { request, context }),
    (line) => {
      live.onProgress(line);
      watch.onProgress(line);
    },
    watch.signal,
  );
  const trial = { ...claimed.value, curve: await live.end() };
  const verdict = watch.stopped();
  return await recordTrained(dependencies, {
    trial,
    workdir: context.workdir,
    end: verdict === null ? end : { ...end, ok: false, ...verdict },
  });
};

const recordTrained = async (
  dependencies: TrainingDependencies,
  { trial, workdir, end }: { readonly trial: Trial; readonly workdir: string; readonly end: JobEnd },
): Promise<StepResult> => {
  const { archive, artifacts } = dependencies;
  if (!end.ok)
    return await recordFailure(dependencies, {
      trial,
      workdir,
      label: end.label,
      detail: end.detail,
      cpuSeconds: end.cpuSeconds,
      log: end.logTail,
      stage: 'train',
      curve: trial.curve,
    });
  const parsed = parseResult(trainResultSchema, end.result);
  if (!parsed.ok)
    return await recordFailure(dependencies, {
      trial,
      workdir,
      label: 'bad_result',
      detail: parsed.problem,
      cpuSeconds: end.cpuSeconds,
      log: end.logTail,
      stage: 'train',
    });
  const result = parsed.value;
  if (result.status === 'failed' || result.checkpointPath === null) {
    return await recordFailure(dependencies, {
      trial,
      workdir,
      label: result.label ?? 'no_result',
      detail: result.detail,
      cpuSeconds: result.cpuSeconds,
      log: end.logTail,
      stage: 'train',
      curve: result.curve,
    });
  }
  const checkpoint = plainFileInside(workdir, result.checkpointPath);
  if (checkpoint === null) {
    const detail = `the checkpoint ${JSON.stringify(result.checkpointPath).slice(0, 300)} is not a plain file inside the trial's work folder`;
    return await recordFailure(dependencies, {
      trial,
      workdir,
      label: 'bad_result',
      detail,
      cpuSeconds: result.cpuSeconds,
      log: end.logTail,
      stage: 'train',
    });
  }
  const checkpointArtifact = await artifacts.putFile(checkpoint);
  const written = await archive.updateTrial(trial.id, trial.epoch, {
    state: 'trained',
    curve: result.curve,
    checkpointArtifact,
    cpuSeconds: result.cpuSeconds,
    tokensPerSecond: result.tokensPerSecond,
    peakMemoryBytes: Math.max(result.peakMemoryBytes ?? 0, end.peakMemoryBytes),
  });
  if (!written.ok) throw infra(`trial ${trial.id} was claimed by another worker meanwhile (${written.reason})`);
  dependencies.peers.add(written.value);
  return { ok: true };
};

const score = async (
  dependencies: TrainingDependencies,
  { input, context, trial }: { input: TrialInput; context: TrialContext; trial: Trial },
): Promise<StepResult> => {
  const { archive, artifacts, dispatcher } = dependencies;
  const checkpointHash = trial.checkpointArtifact;
  if (checkpointHash === null) throw infra(`trial ${trial.id} has no checkpoint to score`);
  const programPath = await materialise(dependencies, context);
  const checkpointPath = join(context.workdir, 'checkpoint.safetensors');
  if (!(await artifacts.getFile(checkpointHash, checkpointPath)))
    throw infra(`checkpoint ${checkpointHash} of ${trial.id} is not among the artifacts`);
  const request: ScoreRequest = {
    trialId: trial.id,
    programPath,
    programHash: context.programHash,
    checkpointPath,
    rung: rungs[context.campaign.settings.rung],
    sizes: context.experiment.architecture?.sizes ?? [],
    seed: input.seed,
    data: context.campaign.data,
  };
  const end = await runJob(dispatcher, job(dependencies, `${trial.id}#score`, 'score', { request, context }));
  const refusal = (label: FailureLabel, detail: string) =>
    recordFailure(dependencies, {
      trial,
      workdir: context.workdir,
      label,
      detail,
      cpuSeconds: trial.cpuSeconds + end.cpuSeconds,
      log: end.logTail,
      stage: 'score',
    });
  if (!end.ok) return await refusal(end.label, end.detail);
  const parsed = parseResult(scoreResultSchema, end.result);
  if (!parsed.ok) return await refusal('bad_result', parsed.problem);
  const result = parsed.value;
  if (result.status === 'failed') return await refusal(result.label ?? 'bad_result', result.detail);
  const facts = await dependencies.hostFacts();
  const rows = result.metrics.map(
    ({ metric, value }): Score =>
      scoreSchema.parse({
        trialId: trial.id,
        metric,
        value,
        seed: input.seed,
        rung: context.campaign.settings.rung,
        programHash: context.programHash,
        checkpointHash,
        dataHash: context.campaign.data.hash,
        scorerVersion: result.scorerVersion,
        sandboxTier: facts.sandboxTier,
        device: result.device,
      }),
  );
  await archive.appendScores(rows);
  await settleSeconds(dependencies, trial.id, trial.cpuSeconds + result.cpuSeconds);
  await archive.updateTrial(trial.id, trial.epoch, { state: 'scored', cpuSeconds: trial.cpuSeconds + result.cpuSeconds });
  await rm(context.workdir, { recursive: true, force: true });
  return { ok: true };
};

interface TrialFailure {
  readonly trial: Trial;
  readonly workdir: string;
  readonly label: FailureLabel;
  readonly detail: string;
  readonly cpuSeconds: number;
  readonly log: string;
  readonly stage: 'train' | 'score';
  readonly curve?: Trial['curve'];
}

/** Writes the end of a trial that failed by itself. Outages are thrown instead, so that the same trial is tried again and resumes. */
const recordFailure = async (dependencies: TrainingDependencies, failed: TrialFailure): Promise<StepResult> => {
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
  const written = await archive.updateTrial(trial.id, trial.epoch, {
    state: label === 'cancelled' ? 'cancelled' : 'failed',
    failure,
    cpuSeconds: failed.cpuSeconds,
    ...(failed.curve === undefined ? {} : { curve: failed.curve }),
  });
  if (written.ok) await rm(failed.workdir, { recursive: true, force: true });
  // A cancelled activity must end as cancelled, so that Temporal knows that it obeyed.
  if (label === 'cancelled') await Context.current().cancelled;
  return { ok: false, label, detail: failure.detail };
};

const refuse = async (
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

const materialise = async ({ artifacts }: TrainingDependencies, { programHash, workdir }: TrialContext): Promise<string> => {
  await mkdir(workdir, { recursive: true });
  const path = join(workdir, 'mixer.py');
  if (!(await artifacts.getFile(programHash, path))) throw infra(`program ${programHash} is not among the artifacts`);
  return path;
};

const job = (
  { idleSeconds }: TrainingDependencies,
  id: string,
  command: 'train' | 'score',
  { request, context }: { readonly request: object; readonly context: TrialContext },
): Job => ({
  id,
  command,
  request,
  workdir: context.workdir,
  limits: {
    wallSeconds: rungs[context.campaign.settings.rung].wallLimitSeconds,
    idleSeconds,
    memoryBytes: memoryLimitBytes,
    logBytes: logLimitBytes,
  },
});

const runJob = (
  dispatcher: TrialDispatcher,
  work: Job,
  onProgress?: (progress: TrainProgress) => void,
  stop?: AbortSignal,
): Promise<JobEnd> =>
  withHeartbeat(async (beat, signal) => {
    const signals = stop === undefined ? signal : AbortSignal.any([signal, stop]);
    return await dispatcher.run(work, {
      signal: signals,
      events: {
        onQueued: (position) => beat({ waitingBehind: position }),
        onStarted: () => beat({ started: true }),
        onProgress: (progress) => {
          beat(progress);
          onProgress?.(progress);
        },
      },
    });
  });

const parseResult = <T>(
  schema: z.ZodType<T>,
  value: unknown,
): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string } => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const issue = parsed.error.issues[0];
  return { ok: false, problem: `result.json: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'does not fit'}` };
};

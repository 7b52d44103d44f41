import { Context } from '@temporalio/activity';
import type { JobEnd } from '../../services/dispatch/dispatcher.ts';
import type { StepResult, TrialInput } from '../../workflows/contracts/activities.ts';
import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import { type Rung, rungs } from '../../workflows/contracts/rung.ts';
import {
  type TrainProgress,
  type TrainRequest,
  type Trial,
  type TrialUsage,
  trainResultSchema,
} from '../../workflows/contracts/trial.ts';
import { clockDoubt } from '../../workflows/rules/training-effort.ts';
import { confirmSeeds } from '../../workflows/rules/trial-seeds.ts';
import { referenceId } from './calibrate.ts';
import { requireCampaign } from './experiment-record.ts';
import { infra } from './heartbeat.ts';
import { bringBack, keepState } from './kept-part.ts';
import { createLiveCurve, type LiveCurve } from './live-curve.ts';
import { plainFileInside } from './plain-file.ts';
import { type Repeated, repeatParts } from './repeat-training.ts';
import { requireSandbox } from './sandbox-tier.ts';
import { createWatch, type TrainingWatch } from './training-watch.ts';
import { orderOf, parseResult, runTrialJob, shareOf, suspectOf, trialLimits } from './trial-job.ts';
import { materialise, recordFailure, storedEnd, type TrainingDependencies, type TrialContext } from './trial-record.ts';

const mostStepsBetweenCheckpoints = 20;
const reportEverySteps = 5;
/** Shortest time between two writes of a running trial's curve. */
const curveGapMs = 1000;

/** Trains the trial under the watch and records how that ended. It is claimed when it has its slot: until then it is queued. */
export const train = async (
  dependencies: TrainingDependencies,
  { input, context, trial: queued }: { input: TrialInput; context: TrialContext; trial: Trial },
): Promise<StepResult> => {
  const { archive, dispatcher } = dependencies;
  await requireSandbox(dependencies, context);
  await bringBack(context.workdir);
  const rung = rungs[context.campaign.settings.rung];
  const request: TrainRequest = {
    trialId: input.trialId,
    programPath: await materialise(dependencies, context),
    programHash: context.programHash,
    rung,
    sizes: context.experiment.architecture?.sizes ?? [],
    seed: input.seed,
    data: context.campaign.data,
    checkpointEvery: stepsBetweenCheckpoints(rung),
    reportEvery: reportEverySteps,
  };
  const isRepeated = await isTrainedTwice(dependencies, { input, context });
  const keeper = isRepeated ? keepState(context.workdir, request) : null;
  const stop = new AbortController();
  const at: { beginning: Beginning } = { beginning: { kind: 'queued' } };
  const job = {
    command: 'train',
    share: shareOf(context),
    ...suspectOf(context, input.trialId),
    order: orderOf(context, queued, {
      command: 'train',
      earlier: await archive.listTrials({ experimentId: input.experimentId }),
    }),
    limits: trialLimits(dependencies, context),
  } as const;
  const end = await runTrialJob(
    dispatcher,
    { ...job, id: `${input.trialId}#train`, request, workdir: context.workdir },
    {
      stop: stop.signal,
      onStarted: async () => {
        at.beginning = await beginTrial(dependencies, { input, context, stop });
        if (at.beginning.kind === 'over') throw new Error(`trial ${input.trialId} ended before its training began`);
      },
      onProgress: (line) => {
        keeper?.onProgress(line);
        if (at.beginning.kind === 'begun') at.beginning.onProgress(line);
      },
    },
  );
  const begun = at.beginning;
  if (begun.kind === 'over') return begun.result;
  const trial = begun.kind === 'begun' ? { ...begun.trial, curve: await begun.live.end() } : queued;
  const usage = usageAfter(trial, end);
  // What an attempt used that is given up counts when the next one ends.
  if (!end.ok) await archive.updateTrial(trial.id, trial.epoch, { usage });
  const verdict = begun.kind === 'begun' ? begun.watch.stopped() : null;
  return await recordTrained(dependencies, {
    trial,
    usage,
    rung: request.rung,
    workdir: context.workdir,
    end: verdict === null ? end : { ...end, ok: false, ...verdict },
    repeat: async (curve) => {
      if (keeper === null) return null;
      await keeper.settled();
      return await repeatParts((work, onProgress, stopPart) => runTrialJob(dispatcher, work, { onProgress, stop: stopPart }), {
        // The end of a job is kept by its id: what an outage ended is another job at the next attempt.
        job: { ...job, id: `${input.trialId}#again${Context.current().info.attempt}`, request, workdir: context.workdir },
        curve,
        layProgram: async () => {
          await materialise(dependencies, context);
        },
      });
    },
  });
};

/** Fewer where a task is short, so that every training can be gone on with in the midst of a task. */
const stepsBetweenCheckpoints = ({ tasks }: Rung): number =>
  Math.max(1, Math.min(mostStepsBetweenCheckpoints, ...tasks.map(({ steps }) => Math.floor(steps / 2))));

type Beginning =
  | { readonly kind: 'queued' }
  | {
      readonly kind: 'begun';
      readonly trial: Trial;
      readonly watch: TrainingWatch;
      readonly live: LiveCurve;
      readonly onProgress: (line: TrainProgress) => void;
    }
  /** Somebody ended it while it waited. */
  | { readonly kind: 'over'; readonly result: StepResult };

/** The peers are those of now: a trial may have waited while they ended. */
const beginTrial = async (
  dependencies: TrainingDependencies,
  { input, context, stop }: { readonly input: TrialInput; readonly context: TrialContext; readonly stop: AbortController },
): Promise<Beginning> => {
  const { archive, peers, now } = dependencies;
  const claimed = await archive.claimTrial(input.trialId);
  if (!claimed.ok) {
    const ended = claimed.current === null ? null : storedEnd(claimed.current, ['trained', 'scored']);
    if (ended !== null) return { kind: 'over', result: ended };
    throw new Error(`trial ${input.trialId} cannot be claimed: ${claimed.reason}`);
  }
  const { id, noise } = await requireCampaign(archive, context.campaign.id);
  const watch = createWatch({
    peers: await peers.curves(id),
    kind: context.experiment.kind,
    purpose: input.purpose,
    referenceTokensPerCpuSecond: await peers.tokensPerSecond(referenceId(id)),
    pairedSdBits: noise.find((floor) => floor.metric === 'bits-per-byte')?.pairedSd ?? null,
  });
  watch.signal.addEventListener('abort', () => stop.abort(), { once: true });
  const live = createLiveCurve({ archive, trial: claimed.value, gapMs: curveGapMs, now });
  return {
    kind: 'begun',
    trial: claimed.value,
    watch,
    live,
    onProgress: (line) => {
      live.onProgress(line);
      watch.onProgress(line);
    },
  };
};

/**
 * Parts of a finalist's first fresh seed are trained twice, so that nothing is confirmed that its seed does not decide. Graphics processors
 * add in an order of their own, so that equal bits cannot be asked of them.
 */
const isTrainedTwice = async (
  { hostFacts }: TrainingDependencies,
  { input, context: { campaign, experiment } }: { readonly input: TrialInput; readonly context: TrialContext },
): Promise<boolean> =>
  input.purpose === 'confirm' &&
  experiment.kind !== 'baseline' &&
  input.seed === confirmSeeds(campaign.settings)[0] &&
  !(await hostFacts()).device.startsWith('cuda');

/** The supervisor's count, with that of earlier attempts. */
const usageAfter = ({ usage }: Trial, { cpuSeconds }: JobEnd): TrialUsage => ({
  ...{ answerSeconds: null, timesExpected: null, timesReference: null, mark: null },
  trainSeconds: (usage?.trainSeconds ?? 0) + cpuSeconds,
});

const recordTrained = async (
  dependencies: TrainingDependencies,
  {
    trial,
    usage,
    rung,
    workdir,
    end,
    repeat,
  }: {
    readonly trial: Trial;
    readonly usage: TrialUsage;
    readonly rung: Rung;
    readonly workdir: string;
    readonly end: JobEnd;
    /** Trains parts of it again where that is asked of this trial; null where it is not. */
    readonly repeat: (curve: Trial['curve']) => Promise<Repeated | null>;
  },
): Promise<StepResult> => {
  const { archive, artifacts } = dependencies;
  const refusal = (label: FailureLabel, detail: string, facts: { readonly cpuSeconds: number; readonly curve: Trial['curve'] }) =>
    recordFailure(dependencies, { trial, workdir, label, detail, log: end.logTail, stage: 'train', ...facts });
  const seen = { cpuSeconds: end.cpuSeconds, curve: trial.curve };
  if (!end.ok) return await refusal(end.label, end.detail, seen);
  const parsed = parseResult(trainResultSchema, end.result);
  if (!parsed.ok) return await refusal('bad_result', parsed.problem, seen);
  const result = parsed.value;
  if (result.status === 'failed' || result.checkpointPath === null)
    return await refusal(result.label ?? 'no_result', result.detail, { cpuSeconds: result.cpuSeconds, curve: result.curve });
  const checkpoint = plainFileInside(workdir, result.checkpointPath);
  if (checkpoint === null) {
    const named = JSON.stringify(result.checkpointPath).slice(0, 300);
    return await refusal('bad_result', `the checkpoint ${named} is not a plain file inside the trial's work folder`, seen);
  }
  const doubt = clockDoubt({ claimedSeconds: result.cpuSeconds, measuredSeconds: end.cpuSeconds });
  if (doubt !== null) return await refusal('integrity', doubt, seen);
  const repeated = await repeat(result.curve);
  if (repeated?.kind === 'unknown') return await refusal(repeated.label, repeated.detail, seen);
  const cpuSeconds = usage.trainSeconds + (repeated?.cpuSeconds ?? 0);
  if (repeated?.kind === 'other') return await refusal('nondeterministic', repeated.detail, { cpuSeconds, curve: result.curve });
  const checkpointArtifact = await artifacts.putFile(checkpoint);
  const written = await archive.updateTrial(trial.id, trial.epoch, {
    state: 'trained',
    curve: result.curve,
    checkpointArtifact,
    cpuSeconds,
    usage,
    tokensPerSecond: usage.trainSeconds > 0 ? tokensOf(rung) / usage.trainSeconds : null,
    peakMemoryBytes: Math.max(result.peakMemoryBytes ?? 0, end.peakMemoryBytes),
  });
  if (!written.ok) throw infra(`trial ${trial.id} was claimed by another worker meanwhile (${written.reason})`);
  dependencies.peers.add(written.value);
  return { ok: true };
};

/** Tokens that a whole training reads, all tasks. */
const tokensOf = ({ tasks }: Rung): number => tasks.reduce((sum, { steps, batch, length }) => sum + steps * batch * length, 0);

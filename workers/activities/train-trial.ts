import { Context } from '@temporalio/activity';
import type { Job, JobEnd } from '../../services/dispatch/dispatcher.ts';
import type { StepResult, TrialInput } from '../../workflows/contracts/activities.ts';
import { rungOfTrial } from '../../workflows/contracts/campaign.ts';
import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import type { Rung } from '../../workflows/contracts/rung.ts';
import {
  type Spent,
  type TrainProgress,
  type TrainRequest,
  type TrainResult,
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
import { orderOf, parseResult, runTrialJob, shareOf, suspectOf, type TrialJobWatch, trialLimits } from './trial-job.ts';
import { createMeter, type TrialMeter } from './trial-meter.ts';
import { materialise, recordFailure, storedEnd, type TrainingDependencies, type TrialContext } from './trial-record.ts';
import { markAsBaseline, twinOf, twinWords } from './twin.ts';

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
  const rung = rungOfTrial(context.campaign, input);
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
  const at: { beginning: Beginning; meter: TrialMeter } = {
    beginning: { kind: 'queued' },
    meter: createMeter({ ...dependencies, trial: queued }),
  };
  const measured = (work: Spent['work'], given: Job, watch: TrialJobWatch) =>
    runTrialJob(dispatcher, given, { ...watch, onUsed: (used) => at.meter.count(work, used) });
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
  const end = await measured(
    'train',
    { ...job, id: `${input.trialId}#train`, request, workdir: context.workdir },
    {
      stop: stop.signal,
      onStarted: async () => {
        at.beginning = await beginTrial(dependencies, { input, context, stop });
        if (at.beginning.kind === 'over') throw new Error(`trial ${input.trialId} ended before its training began`);
        if (at.beginning.kind === 'begun') at.meter = createMeter({ ...dependencies, trial: at.beginning.trial });
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
  const keepUsed = async (): Promise<Used> => {
    const used = await at.meter.sums();
    await archive.updateTrial(trial.id, trial.epoch, used);
    return used;
  };
  const verdict = begun.kind === 'begun' ? begun.watch.stopped() : null;
  return await recordTrained(dependencies, {
    trial,
    keepUsed,
    rung: request.rung,
    workdir: context.workdir,
    end: verdict === null ? end : { ...end, ok: false, ...verdict },
    twin: async (curve) => {
      // A baseline is the measure, and what is confirmed was asked while it explored.
      if (input.purpose !== 'explore' || context.experiment.kind === 'baseline') return null;
      const twin = await twinOf(dependencies, trial, curve);
      if (twin === null) return null;
      if (context.experiment.kind === 'candidate') return twinWords(twin, trial);
      await markAsBaseline(dependencies, context.experiment.id, twin);
      return null;
    },
    repeat: async (curve) => {
      if (keeper === null) return null;
      await keeper.settled();
      return await repeatParts((given, onProgress, stopPart) => measured('repeat', given, { onProgress, stop: stopPart }), {
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

/** What a trial has used so far, every attempt counted. */
interface Used {
  readonly spent: Spent[];
  readonly cpuSeconds: number;
}

const usageOf = (trainSeconds: number, pulls: TrainResult['pulls']): TrialUsage => {
  const { pull = null, pullOfOne = null } = pulls.find(({ task }) => task === 'bytes') ?? {};
  return {
    ...{ answerSeconds: null, timesExpected: null, timesReference: null, timesPull: null, mark: null },
    trainSeconds,
    pull,
    pullOfOne,
  };
};

const recordTrained = async (
  dependencies: TrainingDependencies,
  {
    trial,
    keepUsed,
    rung,
    workdir,
    end,
    twin,
    repeat,
  }: {
    readonly trial: Trial;
    /** Writes down what it has used by now. */
    readonly keepUsed: () => Promise<Used>;
    readonly rung: Rung;
    readonly workdir: string;
    readonly end: JobEnd;
    /** Why it is not trained further: it trains as another architecture does; null where it may. */
    readonly twin: (curve: Trial['curve']) => Promise<string | null>;
    /** Trains parts of it again where that is asked of this trial; null where it is not. */
    readonly repeat: (curve: Trial['curve']) => Promise<Repeated | null>;
  },
): Promise<StepResult> => {
  const { archive, artifacts } = dependencies;
  const refusal = async (label: FailureLabel, detail: string, curve = trial.curve) => {
    const { cpuSeconds } = await keepUsed();
    return await recordFailure(dependencies, {
      trial,
      label,
      detail,
      log: end.logTail,
      stage: 'train',
      curve,
      cpuSeconds,
    });
  };
  if (!end.ok) return await refusal(end.label, end.detail);
  const parsed = parseResult(trainResultSchema, end.result);
  if (!parsed.ok) return await refusal('bad_result', parsed.problem);
  const result = parsed.value;
  if (result.status === 'failed' || result.checkpointPath === null)
    return await refusal(result.label ?? 'no_result', result.detail, result.curve);
  const checkpoint = plainFileInside(workdir, result.checkpointPath);
  if (checkpoint === null) {
    const named = JSON.stringify(result.checkpointPath).slice(0, 300);
    return await refusal('bad_result', `the checkpoint ${named} is not a plain file inside the trial's work folder`);
  }
  const doubt = clockDoubt({ claimedSeconds: result.cpuSeconds, measuredSeconds: end.cpuSeconds });
  if (doubt !== null) return await refusal('integrity', doubt);
  const twinned = await twin(result.curve);
  if (twinned !== null) return await refusal('duplicate', twinned, result.curve);
  const repeated = await repeat(result.curve);
  if (repeated?.kind === 'unknown') return await refusal(repeated.label, repeated.detail);
  if (repeated?.kind === 'other') return await refusal('nondeterministic', repeated.detail, result.curve);
  const checkpointArtifact = await artifacts.putFile(checkpoint);
  const used = await keepUsed();
  const trainSeconds = result.earlierCpuSeconds + end.cpuSeconds;
  const written = await archive.updateTrial(trial.id, trial.epoch, {
    state: 'trained',
    curve: result.curve,
    checkpointArtifact,
    ...used,
    usage: usageOf(trainSeconds, result.pulls),
    tokensPerSecond: trainSeconds > 0 ? tokensOf(rung) / trainSeconds : null,
    peakMemoryBytes: Math.max(result.peakMemoryBytes ?? 0, end.peakMemoryBytes),
  });
  if (!written.ok) throw infra(`trial ${trial.id} was claimed by another worker meanwhile (${written.reason})`);
  dependencies.peers.add(written.value);
  return { ok: true };
};

/** Tokens that a whole training reads, all tasks. */
const tokensOf = ({ tasks }: Rung): number => tasks.reduce((sum, { steps, batch, length }) => sum + steps * batch * length, 0);

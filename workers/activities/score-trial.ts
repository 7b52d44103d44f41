import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type ScoringEnd, scoreWithJudge } from '../../services/judge/score-with-judge.ts';
import { PythonProcessError } from '../../services/python/line-process.ts';
import type { StepResult, TrialInput } from '../../workflows/contracts/activities.ts';
import { rungOfTrial } from '../../workflows/contracts/campaign.ts';
import type { ScoreSet } from '../../workflows/contracts/score.ts';
import type { AnswerRequest, Spent, Trial } from '../../workflows/contracts/trial.ts';
import { secondsSpent, withRun } from '../../workflows/rules/spent.ts';
import { infra } from './heartbeat.ts';
import { requireSandbox } from './sandbox-tier.ts';
import { settleSeconds } from './trial-budget.ts';
import { effortOf } from './trial-effort.ts';
import { orderOf, runTrialJob, shareOf, suspectOf, type TrialJobWatch, trialLimits } from './trial-job.ts';
import { createMeter, type RunUse } from './trial-meter.ts';
import { materialise, recordFailure, type TrainingDependencies, type TrialContext } from './trial-record.ts';
import { removeWorkdir } from './workdir.ts';

interface Scored {
  readonly input: Pick<TrialInput, 'trialId'>;
  readonly context: TrialContext;
  readonly trial: Trial;
}

const setOf: Readonly<Record<Trial['purpose'], ScoreSet>> = { explore: 'search', confirm: 'promotion', rate: 'promotion' };

/** Scores a trained trial on the set of its purpose. The rows come sealed from the judge; a worker cannot make one. */
export const score = async (dependencies: TrainingDependencies, scored: Scored): Promise<StepResult> => {
  const { archive } = dependencies;
  const { context, trial } = scored;
  const meter = createMeter({ ...dependencies, trial });
  const keepUsed = async () => {
    const { spent, cpuSeconds } = await meter.sums();
    await archive.updateTrial(trial.id, trial.epoch, { spent, cpuSeconds });
    return { spent, cpuSeconds };
  };
  const watch = { set: setOf[trial.purpose], onUsed: (used: RunUse) => meter.count('answer', used) };
  const end = await judge(dependencies, scored, watch).catch(async (error: unknown) => {
    await keepUsed();
    throw error;
  });
  meter.count('judge', { runId: `judge ${randomUUID()}`, cpuSeconds: end.judgeSeconds });
  // What an attempt used that is given up counts when the next one ends.
  const { spent, cpuSeconds } = await keepUsed();
  if (!end.ok)
    return await recordFailure(dependencies, {
      trial,
      label: end.label,
      detail: end.detail,
      cpuSeconds,
      log: end.logTail,
      stage: 'score',
    });
  const effort = await effortOf(archive, context, { trial, answerSeconds: end.answerSeconds, rows: end.rows });
  if (effort?.verdict.kind === 'refused')
    return await recordFailure(dependencies, {
      trial,
      label: 'integrity',
      detail: `${effort.verdict.detail}: it trained for longer than the rung gives, or did something else beside it`,
      cpuSeconds,
      log: '',
      stage: 'score',
    });
  await archive.appendScores(end.rows);
  await settleSeconds(dependencies, trial.id, cpuSeconds);
  await archive.updateTrial(trial.id, trial.epoch, {
    state: 'scored',
    spent,
    cpuSeconds,
    ...(effort === null ? {} : { usage: effort.usage }),
    ...(end.fixedLogits === null ? {} : { fixedLogits: end.fixedLogits }),
  });
  return { ok: true };
};

/**
 * Scores a scored trial once more, on the champion set. The trial's own record stays as it is: what the judge says is a row more, or the
 * answer's label.
 */
export const scoreOnChampion = async (dependencies: TrainingDependencies, scored: Scored): Promise<StepResult> => {
  const { archive } = dependencies;
  const rows = await archive.listScores({ trialId: scored.trial.id });
  if (rows.some((row) => row.set === 'champion')) return { ok: true };
  // The trial has ended and its record is closed: what an attempt used that is given up is a row of its own.
  const purpose = `${scored.trial.id}#champion`;
  const settleGivenUp = (seconds: number) => settleSeconds(dependencies, `${purpose} given up ${randomUUID()}`, seconds);
  let spent: readonly Spent[] = [];
  const onUsed = ({ runId, cpuSeconds }: RunUse): void => {
    spent = withRun(spent, { runId, work: 'answer', seconds: cpuSeconds });
  };
  const end = await judge(dependencies, scored, { set: 'champion', onUsed }).catch(async (error: unknown) => {
    await settleGivenUp(secondsSpent(spent));
    throw error;
  });
  await removeWorkdir(dependencies.workFolder, scored.context.workdir);
  const isGivenUp = !end.ok && (end.label === 'infra' || end.label === 'cancelled');
  if (isGivenUp) await settleGivenUp(end.cpuSeconds);
  else await settleSeconds(dependencies, purpose, end.cpuSeconds);
  if (isGivenUp) throw infra(end.detail);
  if (!end.ok) return { ok: false, label: end.label, detail: end.detail };
  await archive.appendScores(end.rows);
  return { ok: true };
};

const judge = async (
  dependencies: TrainingDependencies,
  { context, trial }: Scored,
  { set, onUsed }: { readonly set: ScoreSet } & Pick<TrialJobWatch, 'onUsed'>,
): Promise<ScoringEnd> => {
  const { artifacts, dispatcher } = dependencies;
  const checkpointHash = trial.checkpointArtifact;
  if (checkpointHash === null) throw infra(`trial ${trial.id} has no checkpoint to score`);
  await requireSandbox(dependencies, context);
  const programPath = await materialise(dependencies, context);
  const checkpointPath = join(context.workdir, 'checkpoint.safetensors');
  if (!(await artifacts.getFile(checkpointHash, checkpointPath)))
    throw infra(`checkpoint ${checkpointHash} of ${trial.id} is not among the artifacts`);
  const request: AnswerRequest = {
    trialId: trial.id,
    programPath,
    programHash: context.programHash,
    checkpointPath,
    rung: rungOfTrial(context.campaign, trial),
    sizes: context.experiment.architecture?.sizes ?? [],
    seed: trial.seed,
  };
  const { sandbox, device } = await dependencies.hostFacts();
  try {
    return await scoreWithJudge(
      {
        judge: dependencies.judge,
        run: (job, signal) =>
          runTrialJob(
            dispatcher,
            {
              ...job,
              ...suspectOf(context, trial.id),
              share: shareOf(context),
              order: orderOf(context, trial, { command: 'answer' }),
            },
            { stop: signal, ...(onUsed === undefined ? {} : { onUsed }) },
          ),
      },
      {
        id: `${trial.id}#${set}`,
        request,
        checkpointHash,
        set,
        data: context.campaign.data,
        sandbox,
        device,
        workdir: context.workdir,
        limits: trialLimits(dependencies, context),
        kept: true,
      },
    );
  } catch (error) {
    if (error instanceof PythonProcessError) throw infra(error.message);
    throw error;
  }
};

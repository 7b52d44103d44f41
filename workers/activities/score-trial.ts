import { join } from 'node:path';
import type { StepResult, TrialInput } from '../../workflows/contracts/activities.ts';
import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import { rungs } from '../../workflows/contracts/rung.ts';
import { type Score, scoreSchema } from '../../workflows/contracts/score.ts';
import { type ScoreRequest, type ScoreResult, scoreResultSchema, type Trial } from '../../workflows/contracts/trial.ts';
import { infra } from './heartbeat.ts';
import { settleSeconds } from './trial-budget.ts';
import { parseResult, runTrialJob, trialJob } from './trial-job.ts';
import { materialise, recordFailure, removeWorkdir, type TrainingDependencies, type TrialContext } from './trial-record.ts';

/** Scores a trained trial on held-out data in a process of its own; the rows are written here, never by the trainer. */
export const score = async (
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
  const end = await runTrialJob(dispatcher, trialJob(dependencies, `${trial.id}#score`, 'score', { request, context }));
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
  const sandboxTier = (await dependencies.hostFacts()).sandbox.tier;
  const rows = scoreRows({ result, context, trial, checkpointHash, sandboxTier });
  await archive.appendScores(rows);
  await settleSeconds(dependencies, trial.id, trial.cpuSeconds + result.cpuSeconds);
  await archive.updateTrial(trial.id, trial.epoch, { state: 'scored', cpuSeconds: trial.cpuSeconds + result.cpuSeconds });
  await removeWorkdir(dependencies.workFolder, context.workdir);
  return { ok: true };
};

const scoreRows = (made: {
  readonly result: ScoreResult;
  readonly context: TrialContext;
  readonly trial: Trial;
  readonly checkpointHash: string;
  readonly sandboxTier: string;
}): Score[] => {
  const { result, context, trial, checkpointHash, sandboxTier } = made;
  return result.metrics.map(({ metric, value }) =>
    scoreSchema.parse({
      trialId: trial.id,
      metric,
      value,
      seed: trial.seed,
      rung: trial.rung,
      programHash: context.programHash,
      checkpointHash,
      dataHash: context.campaign.data.hash,
      scorerVersion: result.scorerVersion,
      sandboxTier,
      device: result.device,
    }),
  );
};

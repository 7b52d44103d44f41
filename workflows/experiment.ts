import {
  ActivityFailure,
  CancellationScope,
  isCancellation,
  patched,
  setCurrentDetails,
  TimeoutFailure,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { checks, judging, record, research, training } from './activity-proxies.ts';
import { requireCampaign } from './child-only.ts';
import { auditCuts, type ExperimentInput, type ExperimentOutcome, type StepResult } from './contracts/activities.ts';
import type { FailureLabel } from './contracts/failure.ts';
import { trialId } from './contracts/naming.ts';
import type { OtherRate } from './contracts/rung.ts';
import type { TrialPurpose } from './contracts/trial.ts';
import { plainText } from './rules/markdown.ts';
import { classifyFailure, lostLabel } from './rules/retry.ts';
import { rootMessage } from './rules/root-failure.ts';
import { kindKey, outcomeKey, stageKey } from './search-attributes.ts';

type Stage = 'propose' | 'check' | 'train' | 'score';
interface Setback {
  readonly stage: Stage;
  readonly label: FailureLabel;
  readonly detail: string;
}

/**
 * One experiment from proposal to its terminal record. Whatever the candidate does is an outcome, never a failure of this workflow; a
 * cancel is recorded before it ends.
 */
export async function runExperiment(input: ExperimentInput & { readonly rung: string }): Promise<ExperimentOutcome> {
  requireCampaign();
  upsertSearchAttributes([{ key: kindKey, value: input.origin.kind }]);
  const { experimentId } = input;
  try {
    const setback = await runStages(input);
    const outcome = await record.finishExperiment({
      experimentId,
      end: setback === null ? { state: 'recorded' } : { state: classifyFailure(setback).terminalState, ...setback },
    });
    showOutcome(outcome);
    return outcome;
  } catch (error) {
    // An outage that outlasted its retries is recorded as such, so that the campaign goes on and nothing is lost.
    if (error instanceof ActivityFailure && !isCancellation(error)) {
      return await record.finishExperiment({
        experimentId,
        end: { state: 'failed', ...outageOf(error, { isOurs: input.origin.kind === 'baseline' }), stage: 'record' },
      });
    }
    if (!isCancellation(error)) throw error;
    await CancellationScope.nonCancellable(() =>
      record.finishExperiment({
        experimentId,
        end: { state: 'cancelled', label: 'cancelled', detail: 'cancelled before it ended', stage: 'record' },
      }),
    );
    throw error;
  }
}

async function runStages(input: ExperimentInput & { readonly rung: string }): Promise<Setback | null> {
  const { experimentId } = input;
  show('proposing', input);
  const proposed = await research.proposeExperiment(input);
  if (!proposed.ok) return { stage: 'propose', label: proposed.label, detail: proposed.detail };
  show('checking', input, about(proposed));
  const checked = await checkAndRepair(input);
  if (!checked.ok) return { stage: 'check', label: checked.label, detail: checked.detail };
  const setback = await runSeeds(input, about(proposed));
  if (setback !== null) return setback;
  show('judging', input, about(proposed));
  const { doubtedTrials } = await judging.judgeExperiment({ experimentId });
  if (doubtedTrials !== undefined) {
    show('auditing', input, `**${plainText(proposed.name)}** — too good to be taken at its word`);
    const fallen = await auditDoubted(experimentId, doubtedTrials);
    if (fallen !== null) return fallen;
  }
  await research.analyseExperiment({ experimentId });
  return null;
}

/**
 * Every exploring seed, asked for at once: the trainer gives a later one a slot where none of an earlier one waits, so that no slot is idle at
 * the end of a stage. The first setback ends the others.
 */
async function runSeeds(input: ExperimentInput & { readonly rung: string }, about: string): Promise<Setback | null> {
  const run = (seed: number) => runTrial({ experimentId: input.experimentId, rung: input.rung, seed, purpose: 'explore' });
  // Histories of the version before trained seed after seed.
  if (!patched('seeds-at-once')) {
    for (const seed of input.seeds) {
      show(`training seed ${seed}`, input, about);
      const setback = await run(seed);
      if (setback !== null) return setback;
    }
    return null;
  }
  show(`training seeds ${input.seeds.join(', ')}, each when it has a slot`, input, about);
  const scope = new CancellationScope();
  const setbacks: Setback[] = [];
  const ended = await scope.run(() =>
    Promise.allSettled(
      input.seeds.map(async (seed) => {
        const setback = await run(seed);
        if (setback === null) return;
        setbacks.push(setback);
        scope.cancel();
      }),
    ),
  );
  const [first] = setbacks;
  if (first !== undefined && !CancellationScope.current().consideredCancelled) return first;
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return first ?? null;
}

/**
 * A result that is too good waits here, outside the pool and the finalists, until the deepest gates and fresh data have been asked. It counts
 * when both stand; what falls has its label from what they found, never from being good.
 */
async function auditDoubted(experimentId: string, trialIds: readonly string[]): Promise<Setback | null> {
  const cuts = auditCuts.champion;
  const audited = await checks.auditArchitecture.executeWithOptions({ summary: `gates with ${cuts} cuts` }, [
    { experimentId, cuts },
  ]);
  if (!audited.ok) return { stage: 'score', label: audited.label, detail: audited.detail };
  for (const trialId of trialIds) {
    const scored = await training.scoreChampion.executeWithOptions({ summary: `champion set, ${trialId}` }, [{ trialId }]);
    if (!scored.ok) return { stage: 'score', label: scored.label, detail: scored.detail };
  }
  const settled = await record.settleDoubts({ experimentId });
  return settled.ok ? null : { stage: 'score', label: settled.label, detail: settled.detail };
}

async function checkAndRepair(input: ExperimentInput): Promise<StepResult> {
  const { experimentId } = input;
  for (let attempt = 0; ; attempt++) {
    const checked = await checks.checkArchitecture.executeWithOptions(
      { summary: attempt === 0 ? 'gates' : `gates, repair ${attempt}` },
      [{ experimentId }],
    );
    if (checked.ok || attempt === input.maxRepairs || input.origin.kind !== 'candidate') return checked;
    if (classifyFailure({ label: checked.label, stage: 'check' }).retry !== 'repair') return checked;
    const repaired = await research.repairExperiment({
      experimentId,
      attempt: attempt + 1,
      label: checked.label,
      detail: checked.detail,
    });
    if (!repaired.ok) return checked;
  }
}

/** Train, then score in a process of its own; null when both went well. */
export async function runTrial(trial: {
  readonly experimentId: string;
  readonly rung: string;
  readonly seed: number;
  readonly purpose: TrialPurpose;
  readonly rate?: OtherRate;
}): Promise<Setback | null> {
  const { experimentId, seed, purpose, rate } = trial;
  const input = { trialId: trialId(experimentId, trial), experimentId, seed, purpose, ...(rate === undefined ? {} : { rate }) };
  const trained = await training.trainTrial.executeWithOptions({ summary: `train seed ${seed}` }, [input]);
  if (!trained.ok) return { stage: 'train', label: trained.label, detail: trained.detail };
  const scored = await training.scoreTrial.executeWithOptions({ summary: `score seed ${seed}` }, [input]);
  return scored.ok ? null : { stage: 'score', label: scored.label, detail: scored.detail };
}

const about = ({ name, summary }: { readonly name: string; readonly summary: string }): string =>
  `**${plainText(name)}** — ${plainText(summary)}`;

const show = (stage: string, input: ExperimentInput, text = ''): void => {
  setCurrentDetails(`### ${input.experimentId}\n\nStage: ${stage}\n\n${text}`);
  upsertSearchAttributes([{ key: stageKey, value: stage.split(' ')[0] ?? stage }]);
};

const showOutcome = (outcome: ExperimentOutcome): void => {
  const gain =
    outcome.gain === null
      ? ''
      : `, ${outcome.gain >= 0 ? '+' : ''}${outcome.gain.toFixed(4)} bits per byte against the reference`;
  setCurrentDetails(
    `### ${outcome.experimentId}\n\n**${plainText(outcome.name)}**: ${outcome.state}${gain}\n\n${plainText(outcome.detail)}`,
  );
  upsertSearchAttributes([
    { key: stageKey, value: 'done' },
    { key: outcomeKey, value: outcome.label ?? outcome.state },
  ]);
};

/** What is said of an activity that was given up after its last retry. */
export const outageOf = (
  error: ActivityFailure,
  { isOurs }: { readonly isOurs: boolean },
): { readonly label: 'infra' | 'poison'; readonly detail: string } => {
  const isWorkerLost = error.cause instanceof TimeoutFailure && error.cause.timeoutType === 'HEARTBEAT';
  return { label: lostLabel({ activity: error.activityType, isWorkerLost, isOurs }), detail: rootMessage(error) };
};

import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  isCancellation,
  patched,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { concluding, opening, record } from './activity-proxies.ts';
import { allEnded, runAll, startExperiment } from './campaign-children.ts';
import { awaitMachine } from './campaign-machine.ts';
import { setMessageHandlers } from './campaign-messages.ts';
import { enter, nextChange, recordMessages, show, spoken, throwFault } from './campaign-progress.ts';
import { type CampaignCarry, CampaignRun } from './campaign-state.ts';
import { verify } from './campaign-verification.ts';
import { type ExperimentOrigin, failureTypes } from './contracts/activities.ts';
import type { Conclusion } from './contracts/campaign.ts';
import { campaignIdForWorkflow } from './contracts/naming.ts';
import { confirmationReserve } from './rules/budget.ts';
import { rootMessage } from './rules/root-failure.ts';
import { type ExplorationState, nextMove } from './rules/stopping.ts';
import { bestGainKey, campaignKey, kindKey, outcomeKey, presetKey } from './search-attributes.ts';

export interface CampaignResult {
  readonly campaignId: string;
  readonly verdict: Conclusion['verdict'];
  readonly statement: string;
  readonly finalists: Conclusion['finalists'];
  readonly reportPath: string | null;
  readonly bundlePaths: readonly string[];
}

/** History events after which a run hands over to the next; a drained hand-over costs at most one idle trial. */
const continueAfterEvents = 3000;
/** Attributes of another campaign or experiment until this one has its own. */
const cleared = [
  { key: presetKey, value: null },
  { key: kindKey, value: null },
  { key: outcomeKey, value: null },
  { key: bestGainKey, value: null },
];
/** Experiments beyond the slots, so that proposing and checking the next one overlap with training. */
const aheadOfSlots = 1;
/**
 * Discover architectures. Takes one optional object, every field of which has a default:
 * `{"preset": "quick", "seed": 7, "experiments": 12, "minutes": 10}`. A wrong field fails it at once and says what would be right.
 */
export async function discoverArchitectures(input?: unknown, carry?: CampaignCarry): Promise<CampaignResult> {
  const info = workflowInfo();
  const run = new CampaignRun(campaignIdForWorkflow(info.workflowId), Date.now());
  setMessageHandlers(run);
  upsertSearchAttributes([
    { key: campaignKey, value: run.campaignId },
    // A start that copies an earlier one in the Web UI copies its attributes too.
    ...(carry === undefined ? cleared : []),
  ]);
  show(run);
  // The children live in this scope, so that a campaign that fails ends them as one that is cancelled does.
  const scope = new CancellationScope();
  try {
    return await scope.run(async () => {
      if (carry !== undefined && info.continuedFromExecutionRunId === undefined) {
        throw ApplicationFailure.nonRetryable(
          'discoverArchitectures takes one input, an object such as {"preset":"quick"}; two were given',
          failureTypes.invalidInput,
        );
      }
      if (carry === undefined) await open(run, input, info.workflowId, info.firstExecutionRunId);
      else await resume(run, carry);
      if (run.state === 'calibrating') await calibrate(run);
      await explore(run);
      if (handOver(run)) {
        await condition(allHandlersFinished);
        return await continueAsNew<typeof discoverArchitectures>(input, run.carry());
      }
      await verify(run);
      return await conclude(run);
    });
  } catch (error) {
    // A worker that dies while it is told to end reports a lost heartbeat, not a cancel.
    const cancelled =
      CancellationScope.current().consideredCancelled &&
      (isCancellation(error) || (isFailure(error) && patched('cancel-of-a-dying-worker')));
    if (run.plan !== null && (cancelled || isFailure(error))) {
      scope.cancel();
      await recordEnd(run, { cancelled, error });
    } else if (cancelled) await recordUnopened(run, info.firstExecutionRunId);
    else if (isFailure(error)) showRefusal(run, error);
    throw cancelled && !isCancellation(error) ? new CancelledFailure('cancelled by a person') : spoken(error);
  }
}

async function open(run: CampaignRun, input: unknown, workflowId: string, runId: string): Promise<void> {
  const plan = await opening.openCampaign({ campaignId: run.campaignId, workflowId, runId, input: input ?? {} });
  run.begin(plan);
  upsertSearchAttributes([{ key: presetKey, value: plan.settings.preset }]);
  await awaitMachine(run);
}

/** The next run of a campaign that continued as new. */
async function resume(run: CampaignRun, carry: CampaignCarry): Promise<void> {
  run.restore(carry);
  run.digest = await record.readDigest({ campaignId: run.campaignId });
}

async function calibrate(run: CampaignRun): Promise<void> {
  const { baselines } = run.requirePlan().settings;
  await enter(run, 'calibrating', `training ${baselines.length} baselines, to learn what seeds alone do`);
  // All at once: each is judged when the noise is known, which needs all of them. The trainer's slots put them in order.
  await runAll(run, { origins: baselines.map((baseline) => ({ kind: 'baseline', baseline })), atOnce: baselines.length });
  await record.calibrateNoise({ campaignId: run.campaignId });
  await record.rebuildPool({ campaignId: run.campaignId });
  run.finishedSincePool = 0;
}

async function explore(run: CampaignRun): Promise<void> {
  const { settings } = run.requirePlan();
  await enter(run, 'exploring', 'proposing, checking and training candidates');
  if (!run.startsDone) {
    const origins = settings.starts.map((start): ExperimentOrigin => ({ kind: 'start', start }));
    await runAll(run, { origins, atOnce: settings.slots + aheadOfSlots });
    run.startsDone = true;
  }
  for (;;) {
    const draining = handOver(run);
    const move = nextMove(explorationState(run));
    if (run.inFlight.size === 0 && (draining || move.kind === 'finish')) {
      run.stage = move.reason;
      return throwFault(run);
    }
    if (move.kind === 'start' && !draining) {
      run.candidatesStarted += 1;
      await startExperiment(run, { kind: 'candidate' });
      continue;
    }
    await nextChange(run);
  }
}

const explorationState = (run: CampaignRun): ExplorationState => ({
  inFlight: run.inFlight.size,
  maxInFlight: run.requirePlan().settings.slots + aheadOfSlots,
  budgetSpent: run.budgetSpent,
  candidatesStarted: run.candidatesStarted,
  budget: run.budget,
  minutesUsed: run.minutesUsed(Date.now()),
  // What runs may still take is as good as spent, or too many candidates would be begun.
  trialSecondsUsed: run.digest.trialSeconds + (run.digest.trialSecondsReserved ?? 0) + reservedForConfirmation(run),
  paused: run.paused,
  stopRequested: run.stopRequested,
  bestGain: run.bestGain,
  targetGain: run.requirePlan().settings.targetGain,
});

/** The verdict must not starve: what it will cost is kept back. */
const reservedForConfirmation = (run: CampaignRun): number => {
  // The limit is a setting that plans of older runs do not have; it was two.
  const { exploreSeeds, finalists, confirmSeeds, baselines, confirmBaselines = 2 } = run.requirePlan().settings;
  const { recorded, failed } = run.digest.finished;
  return confirmationReserve({
    trialSecondsUsed: run.digest.trialSeconds,
    trialsEnded: (recorded + failed) * exploreSeeds,
    finalists,
    baselines: Math.min(confirmBaselines, Math.max(2, baselines.length)),
    confirmSeeds,
  });
};

async function conclude(run: CampaignRun): Promise<CampaignResult> {
  await recordMessages(run);
  const comparing = run.state === 'verifying' ? 'comparing on fresh seeds, ' : '';
  run.stage = `${comparing}writing the report and the bundles`;
  show(run);
  const conclusion = await concluding.concludeCampaign({ campaignId: run.campaignId });
  run.conclusion = conclusion;
  run.state = 'finished';
  run.stage = 'finished';
  run.digest = await record.readDigest({ campaignId: run.campaignId });
  show(run);
  await condition(allHandlersFinished);
  const { verdict, statement, finalists, reportPath, bundlePaths } = conclusion;
  return { campaignId: run.campaignId, verdict, statement, finalists, reportPath, bundlePaths };
}

async function recordEnd(
  run: CampaignRun,
  { cancelled, error }: { readonly cancelled: boolean; readonly error: unknown },
): Promise<void> {
  const reason = cancelled ? 'cancelled by a person' : error instanceof Error ? rootMessage(error) : String(error);
  await CancellationScope.nonCancellable(async () => {
    await allEnded(run);
    await record.endCampaign({ campaignId: run.campaignId, state: cancelled ? 'cancelled' : 'failed', reason });
    run.state = cancelled ? 'cancelled' : 'failed';
    run.stage = reason;
    run.digest = await record.readDigest({ campaignId: run.campaignId });
    show(run);
  });
}

/** Cancelled while it opened: where its record was written by then, nobody else would close it. */
async function recordUnopened(run: CampaignRun, openedBy: string): Promise<void> {
  // Histories of the version before end here.
  if (!patched('record-unopened')) return;
  const reason = 'cancelled by a person while it opened';
  await CancellationScope.nonCancellable(() =>
    record.endCampaign({ campaignId: run.campaignId, state: 'cancelled', reason, openedBy }),
  );
  run.state = 'cancelled';
  run.stage = reason;
  show(run);
}

/** It has no record: its page is all that says how it ended. */
function showRefusal(run: CampaignRun, error: Error): void {
  // Histories of the version before end here.
  if (!patched('show-refusal')) return;
  run.state = 'failed';
  run.stage = rootMessage(error);
  show(run);
}

/** The memo lets a test hand over sooner. */
const handOver = (run: CampaignRun): boolean => {
  const { continueAsNewSuggested, historyLength, memo } = workflowInfo();
  const limit = typeof memo?.continueAfterEvents === 'number' ? memo.continueAfterEvents : continueAfterEvents;
  return run.state === 'exploring' && (continueAsNewSuggested || historyLength > limit);
};

const isFailure = (error: unknown): error is Error => error instanceof Error && error.name.endsWith('Failure');

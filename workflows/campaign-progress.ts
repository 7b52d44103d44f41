import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  condition,
  patched,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { record } from './activity-proxies.ts';
import type { CampaignRun } from './campaign-state.ts';
import { renderDetails } from './details.ts';
import { poolIsDue } from './rules/pool.ts';
import { rootFailure } from './rules/root-failure.ts';
import { bestGainKey, experimentsKey, stageKey } from './search-attributes.ts';

/** Past this the machine is the problem: stop rather than burn the rest of the budget. */
const maxOutagesInRow = 3;

/** While anything is in flight, a page that nothing happens on is of a minute ago at most. The memo lets a test look sooner. */
export const refreshMs = (): number => {
  const { memo } = workflowInfo();
  return typeof memo?.refreshMs === 'number' ? memo.refreshMs : 60_000;
};

/** What was measured and used up so far, on the page. */
export async function refresh(run: CampaignRun): Promise<void> {
  run.digest = await record.readDigest({ campaignId: run.campaignId });
  show(run);
}

/** Waits for a child, a message or the end of the minutes; then brings record, details and attributes up to date. */
export async function nextChange(run: CampaignRun): Promise<void> {
  const msLeft = (run.budget.minutes - run.minutesUsed(Date.now())) * 60_000;
  // A change that came while something else was awaited is seen at once.
  const changed = () => run.changes > run.handledChanges;
  if (!run.paused && msLeft > 0) await condition(changed, Math.min(msLeft, refreshMs()));
  // What runs goes on in a pause and past the minutes. Histories of the version before looked at nothing meanwhile.
  else if (run.inFlight.size > 0 && patched('refresh-while-held')) await condition(changed, refreshMs());
  else await condition(changed);
  run.handledChanges = run.changes;
  throwFault(run);
  await recordMessages(run);
  if (
    run.state === 'exploring' &&
    poolIsDue({ finishedSince: run.finishedSincePool, batch: run.requirePlan().settings.poolBatch })
  ) {
    run.finishedSincePool = 0;
    await record.rebuildPool({ campaignId: run.campaignId });
  }
  await refresh(run);
}

/** What a person changed goes into the record: caps, which the ledger reads, and a pause. */
export async function recordMessages(run: CampaignRun): Promise<void> {
  while (run.recordedBudget !== run.budget) {
    const change = run.budget;
    await record.setBudget({ campaignId: run.campaignId, change });
    run.recordedBudget = change;
  }
  while (run.recordedPaused !== run.paused && (run.state === 'calibrating' || run.state === 'exploring')) {
    const paused = run.paused;
    await record.setCampaignState({ campaignId: run.campaignId, state: paused ? 'paused' : run.state });
    run.recordedPaused = paused;
  }
}

/** Begins a stage, in the record too, which a pause outlasts. */
export async function enter(run: CampaignRun, state: 'calibrating' | 'exploring' | 'verifying', stage: string): Promise<void> {
  await recordMessages(run);
  run.state = state;
  run.stage = stage;
  // Histories of the version before wrote the stage, and the pause after it where one came.
  const paused = run.paused && state !== 'verifying' && patched('pause-outlasts-stage');
  await record.setCampaignState({ campaignId: run.campaignId, state: paused ? 'paused' : state });
  if (paused) run.recordedPaused = true;
  show(run);
}

/** Brings the details and the search attributes in the Web UI up to date. */
export const show = (run: CampaignRun): void => {
  const status = run.status(Date.now());
  setCurrentDetails(renderDetails(status));
  // Each upsert is an event of the history: only what changed.
  if (run.shown.state !== status.state) upsertSearchAttributes([{ key: stageKey, value: status.state }]);
  if (run.shown.experiments !== run.candidatesStarted)
    upsertSearchAttributes([{ key: experimentsKey, value: run.candidatesStarted }]);
  if (run.bestGain !== null && run.shown.bestGain !== run.bestGain)
    upsertSearchAttributes([{ key: bestGainKey, value: run.bestGain }]);
  run.shown = { state: status.state, experiments: run.candidatesStarted, bestGain: run.bestGain };
};

/** What ends the whole campaign: an error of our own, or outages without end. */
export const throwFault = (run: CampaignRun): void => {
  if (run.fault !== null) throw run.fault;
  if (run.outagesInRow >= maxOutagesInRow) {
    throw ApplicationFailure.nonRetryable(
      `${run.outagesInRow} experiments in a row ended by an outage, the last with: ${run.lastOutage}`,
      'RepeatedOutage',
    );
  }
};

/** Lists and pages of the server show the outermost message, and "Activity task failed" tells a person nothing. */
export const spoken = (error: unknown): unknown => {
  if (!(error instanceof ActivityFailure || error instanceof ChildWorkflowFailure)) return error;
  const root = rootFailure(error);
  return root instanceof ApplicationFailure ? ApplicationFailure.nonRetryable(root.message, root.type) : error;
};

import { CancellationScope, ChildWorkflowCancellationType, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { record } from './activity-proxies.ts';
import { nextChange, show, throwFault } from './campaign-progress.ts';
import type { CampaignRun } from './campaign-state.ts';
import type { ExperimentOrigin } from './contracts/activities.ts';
import { taskQueues } from './contracts/messages.ts';
import { experimentId } from './contracts/naming.ts';
import { runExperiment } from './experiment.ts';
import { plainText } from './rules/markdown.ts';
import { rootMessage } from './rules/root-failure.ts';
import { campaignKey } from './search-attributes.ts';

/** A cancelled parent waits until its children have recorded their end; a terminated one still asks them to. */
export const childOptions = {
  taskQueue: taskQueues.discovery,
  cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
  parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
} as const;

/** Starts every origin, no more than `atOnce` in flight, and waits for all of them. */
export async function runAll(
  run: CampaignRun,
  { origins, atOnce }: { readonly origins: readonly ExperimentOrigin[]; readonly atOnce: number },
): Promise<void> {
  const waiting = [...origins];
  for (;;) {
    if (run.stopRequested && run.state === 'exploring') waiting.length = 0;
    const next = run.inFlight.size < atOnce && !run.paused ? waiting.shift() : undefined;
    if (next !== undefined) await startExperiment(run, next);
    else if (waiting.length === 0 && run.inFlight.size === 0) return throwFault(run);
    else await nextChange(run);
  }
}

/** Promises of the children of a run, so that a cancelled campaign ends after them. */
const running = new WeakMap<CampaignRun, Set<Promise<void>>>();

/** Starts one experiment under the next number. */
export async function startExperiment(run: CampaignRun, origin: ExperimentOrigin): Promise<void> {
  const plan = run.requirePlan();
  const scope = CancellationScope.current();
  const number = run.nextNumber;
  run.nextNumber += 1;
  const id = experimentId(run.campaignId, number);
  run.inFlight.set(number, id);
  const child = await startChild(runExperiment, {
    ...childOptions,
    workflowId: id,
    args: [
      {
        campaignId: run.campaignId,
        experimentId: id,
        number,
        origin,
        seeds: origin.kind === 'baseline' ? plan.calibrationSeeds : plan.exploreSeeds,
        maxRepairs: plan.settings.maxRepairs,
        hints: run.hints,
        rung: plan.settings.rung,
      },
    ],
    staticSummary: describeOrigin(origin),
    typedSearchAttributes: [{ key: campaignKey, value: run.campaignId }],
  });
  const done = child
    .result()
    .then(
      (outcome) => run.finished(outcome),
      (error: unknown) => (scope.consideredCancelled ? undefined : recordLost(run, { id, error })),
    )
    .catch((error: unknown) => {
      run.fault ??= error;
    })
    .then(() => {
      run.inFlight.delete(number);
      run.touch();
    });
  const all = running.get(run) ?? new Set();
  running.set(run, all.add(done));
  void done.then(() => all.delete(done));
  show(run);
}

/** An experiment that a person cancelled or terminated by itself, or that the server gave up: it gets its record and the campaign goes on. */
async function recordLost(run: CampaignRun, { id, error }: { readonly id: string; readonly error: unknown }): Promise<void> {
  const detail = `its workflow ended before it did: ${error instanceof Error ? rootMessage(error) : String(error)}`;
  run.finished(
    await record.finishExperiment({ experimentId: id, end: { state: 'cancelled', label: 'cancelled', detail, stage: 'record' } }),
  );
}

const describeOrigin = (origin: ExperimentOrigin): string => {
  if (origin.kind === 'baseline') return `baseline ${origin.baseline}`;
  return origin.kind === 'start' ? `start ${plainText(origin.start)}` : 'candidate';
};

/** Resolves when every experiment that this run started is over. */
export const allEnded = async (run: CampaignRun): Promise<void> => {
  await Promise.allSettled(running.get(run) ?? []);
};

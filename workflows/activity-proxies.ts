import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import { withSummaries } from './activity-summaries.ts';
import {
  type CheckActivities,
  type DiscoveryActivities,
  type ResearchActivities,
  type TrainingActivities,
  unstorableType,
} from './contracts/activities.ts';
import { taskQueues } from './contracts/messages.ts';
import { plainText } from './rules/markdown.ts';

// Failures whose type is in contracts/activities.failureTypes are thrown non-retryable where they arise. Everything else that is thrown is an
// outage (a server, a disk, a process that died) and is retried; what a candidate does comes back as a value. A record that its schema refuses
// would be refused again each time, a mistake in the code would be made again, and a cancel would wait with both.
const nonRetryableErrorTypes = [unstorableType, 'ZodError', 'TypeError', 'RangeError', 'ReferenceError'];
const untilItWorks = {
  nonRetryableErrorTypes,
  initialInterval: '500 ms',
  backoffCoefficient: 2,
  maximumInterval: '30 seconds',
} as const;
const tenTimes = {
  nonRetryableErrorTypes,
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '1 minute',
  maximumAttempts: 10,
} as const;

/** The record: short writes on the archive; an outage of it pauses the campaign rather than failing it. */
export const record = withSummaries(
  proxyActivities<Omit<DiscoveryActivities, 'judgeExperiment' | 'openCampaign' | 'concludeCampaign'>>({
    taskQueue: taskQueues.discovery,
    startToCloseTimeout: '2 minutes',
    retry: untilItWorks,
  }),
  {
    calibrateNoise: () => 'what seeds alone do',
    setCampaignState: ({ state }) => `record: ${state}`,
    setBudget: ({ change }) => `record: caps ${JSON.stringify(change)}`,
    rebuildPool: () => 'rank what parents are drawn from',
    readDigest: () => 'figures for this page',
    finishExperiment: ({ end }) => `record: ${end.state}${end.state === 'recorded' ? '' : ` (${end.label})`}`,
    settleDoubts: () => 'what fresh data say of a result that is too good',
    chooseFinalists: () => 'who is confirmed, and against whom',
    planConfirmation: ({ numTried }) => `whose verdict may change after ${numTried} seeds`,
    endCampaign: ({ state }) => `close the record: ${state}`,
  },
);

/** While calibrating it waits for the reference's trials, which may take as long as trials do. */
export const judging = withSummaries(
  proxyActivities<Pick<DiscoveryActivities, 'judgeExperiment'>>({
    taskQueue: taskQueues.discovery,
    startToCloseTimeout: '7 days',
    heartbeatTimeout: '30 seconds',
    retry: untilItWorks,
  }),
  { judgeExperiment: () => 'fitness from its scores' },
);

/** Reading a large data folder may take minutes. */
export const opening = withSummaries(
  proxyActivities<Pick<DiscoveryActivities, 'openCampaign'>>({
    taskQueue: taskQueues.discovery,
    // It may write the record at any moment until it has ended.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    startToCloseTimeout: '20 minutes',
    heartbeatTimeout: '30 seconds',
    retry: {
      nonRetryableErrorTypes,
      initialInterval: '1 second',
      backoffCoefficient: 2,
      maximumInterval: '30 seconds',
      maximumAttempts: 10,
    },
  }),
  { openCampaign: () => 'check the settings, prepare the data' },
);

/**
 * Building report and bundles may take minutes. All is trained by then, so that an outage is waited for, for most of a day; what is still wrong
 * then is no outage.
 */
export const concluding = withSummaries(
  proxyActivities<Pick<DiscoveryActivities, 'concludeCampaign'>>({
    taskQueue: taskQueues.discovery,
    startToCloseTimeout: '20 minutes',
    heartbeatTimeout: '30 seconds',
    retry: {
      nonRetryableErrorTypes,
      initialInterval: '1 second',
      backoffCoefficient: 2,
      maximumInterval: '30 seconds',
      maximumAttempts: 2000,
    },
  }),
  { concludeCampaign: () => 'verdicts, report and bundles' },
);

/** Researcher, engineer, analyst. */
export const research = withSummaries(
  proxyActivities<ResearchActivities>({
    taskQueue: taskQueues.agents,
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: '30 seconds',
    // A proposal that went on after its experiment was closed would write into a terminal record.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: tenTimes,
  }),
  {
    proposeExperiment: ({ origin }) => `propose and write the ${origin.kind}`,
    repairExperiment: ({ attempt, label, detail }) => `repair ${attempt} after ${label}: ${plainText(detail.slice(0, 100))}`,
    analyseExperiment: () => 'what changed, and what it did',
  },
);

/** Gates on CPU: seconds each, but they queue, and wait for a sandbox where there is none; only the heartbeat bounds them. */
export const checks = proxyActivities<CheckActivities>({
  taskQueue: taskQueues.checks,
  startToCloseTimeout: '7 days',
  heartbeatTimeout: '15 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: tenTimes,
});

/**
 * Trials: hours each and they wait for a slot, so only the heartbeat bounds them; the worker holds the wall limit. A cancelled trial ends
 * when its process is gone.
 */
export const training = proxyActivities<TrainingActivities>({
  taskQueue: taskQueues.training,
  startToCloseTimeout: '7 days',
  heartbeatTimeout: '15 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: tenTimes,
});

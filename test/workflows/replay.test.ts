import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { workflowTypes } from '../../workflows/contracts/messages.ts';
import { quietTemporal } from '../support/quiet-temporal.ts';

const folder = new URL('../fixtures/histories/', import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .toSorted();

interface RecordedEvent {
  readonly eventType: string;
  readonly workflowExecutionStartedEventAttributes?: {
    readonly workflowType: { readonly name: string };
    readonly workflowId: string;
  };
  readonly activityTaskScheduledEventAttributes?: { activityType: { name: string } };
}
interface RecordedHistory {
  readonly events: readonly RecordedEvent[];
}

const read = (name: string): RecordedHistory => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));

const startOf = (history: RecordedHistory) => {
  const start = history.events[0]?.workflowExecutionStartedEventAttributes;
  if (start === undefined) throw new Error('the history does not begin with the start of a workflow');
  return start;
};

const activitiesOf = (history: RecordedHistory): ReadonlySet<string> =>
  new Set(history.events.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType.name ?? []));

const withActivityRenamed = (history: RecordedHistory, name: string): RecordedHistory => {
  const changed: RecordedHistory = structuredClone(history);
  for (const { activityTaskScheduledEventAttributes: scheduled } of changed.events)
    if (scheduled?.activityType.name === name) scheduled.activityType.name = `${name}OfOld`;
  return changed;
};

let workflowBundle: { readonly code: string };
beforeAll(async () => {
  quietTemporal();
  const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
  workflowBundle = await bundleWorkflowCode({ workflowsPath });
}, 60_000);

const replay = (history: RecordedHistory): Promise<void> =>
  Worker.runReplayHistory({ workflowBundle }, history, startOf(history).workflowId);

describe('workflows of today on recorded histories', () => {
  it('have histories of every workflow, of a cancel, a repair and a rejection', () => {
    const types = new Set(names.map((name) => startOf(read(name)).workflowType.name));
    expect(types).toEqual(new Set(Object.values(workflowTypes)));
    expect(activitiesOf(read('experiment-repaired.json'))).toContain('repairExperiment');
    expect(activitiesOf(read('experiment-repaired.json'))).toContain('judgeExperiment');
    expect(activitiesOf(read('experiment-rejected.json'))).not.toContain('trainTrial');
    expect(activitiesOf(read('campaign-finished.json'))).toContain('concludeCampaign');
    expect(read('campaign-cancelled.json').events.at(-1)?.eventType).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED');
  });

  it.each(names)('follow %s to its end', async (name) => {
    await replay(read(name));
  });

  it.each([
    ['campaign-finished.json', 'calibrateNoise'],
    ['campaign-cancelled.json', 'endCampaign'],
    ['experiment-repaired.json', 'repairExperiment'],
    ['verification.json', 'scoreTrial'],
  ])('do not follow %s once it holds another activity in the place of %s', async (name, activity) => {
    await expect(replay(withActivityRenamed(read(name), activity))).rejects.toBeInstanceOf(DeterminismViolationError);
  });
});

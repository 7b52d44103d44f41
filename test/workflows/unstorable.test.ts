import { afterAll, beforeAll, expect, it } from 'vitest';
import { InstantHost } from '../../workers/bench/instant-host.ts';
import { taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { type Loop, startLoop } from '../support/loop.ts';

/** What it counts for the first candidate's trainings is no number. */
class MiscountingHost extends InstantHost {
  numTrained = 0;

  override async run(job: Parameters<InstantHost['run']>[0]): ReturnType<InstantHost['run']> {
    const end = await super.run(job);
    if (job.command !== 'train' || !job.id.includes('/e0003/')) return end;
    this.numTrained += 1;
    return { ...end, peakMemoryBytes: Number.NaN };
  }
}

const host = new MiscountingHost();
let loop: Loop;
beforeAll(async () => {
  loop = await startLoop({ host });
}, 120_000);
afterAll(async () => {
  await loop?.stop();
}, 60_000);

it('a record that its schema refuses is written as a failure after one try, and the campaign goes on', async () => {
  await loop.client.workflow.execute(workflowTypes.campaign, {
    taskQueue: taskQueues.discovery,
    workflowId: 'c-unstorable',
    args: [{ preset: 'tiny', experiments: 2, exploreSeeds: 1 }],
  });
  expect(host.numTrained).toBe(1);
  expect((await loop.archive.getExperiment('c-unstorable/e0003'))?.failure).toMatchObject({
    label: 'infra',
    detail: expect.stringMatching(/^The trial c-unstorable\/e0003\/\S+ cannot be stored: peakMemoryBytes is NaN: /),
  });
  expect((await loop.archive.getExperiment('c-unstorable/e0004'))?.state).toBe('recorded');
  expect((await loop.archive.getCampaign('c-unstorable'))?.state).toBe('finished');
}, 120_000);

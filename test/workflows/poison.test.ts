import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { InstantHost } from '../../workers/bench/instant-host.ts';
import { taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { type Loop, startLoop } from '../support/loop.ts';

/** It dies whenever it trains the first candidate. */
class DyingHost extends InstantHost {
  numDeaths = 0;

  override async run(job: Parameters<InstantHost['run']>[0]): ReturnType<InstantHost['run']> {
    const end = await super.run(job);
    if (job.command !== 'train' || !job.id.includes('/e0003/')) return end;
    this.numDeaths += 1;
    return { ...end, label: 'infra', detail: 'The Python host stopped: python was ended by SIGKILL', cpuSeconds: 10 };
  }
}

const host = new DyingHost();
let loop: Loop;
beforeAll(async () => {
  loop = await startLoop({ host });
}, 120_000);
afterAll(async () => {
  await loop?.stop();
}, 60_000);

it('a program that takes its host down is given up after three outages whose seconds count, and the campaign goes on', async () => {
  await loop.client.workflow.execute(workflowTypes.campaign, {
    taskQueue: taskQueues.discovery,
    workflowId: 'c-poisoned',
    args: [{ preset: 'tiny', experiments: 2, exploreSeeds: 1 }],
  });
  expect(host.numDeaths).toBe(3);
  expect((await loop.archive.getExperiment('c-poisoned/e0003'))?.failure).toMatchObject({
    label: 'poison',
    stage: 'train',
    detail: expect.stringMatching(/^3 of its runs ended in an outage, .*SIGKILL$/),
  });
  expect((await loop.archive.getExperiment('c-poisoned/e0004'))?.state).toBe('recorded');
  expect((await loop.archive.getCampaign('c-poisoned'))?.state).toBe('finished');
  expect(existsSync(join(loop.config.home, 'work', 'c-poisoned'))).toBe(false);
  const trials = await loop.archive.listTrials({ campaignId: 'c-poisoned' });
  const lost = trials.find(({ experimentId }) => experimentId === 'c-poisoned/e0003');
  expect(lost).toMatchObject({ cpuSeconds: 30 });
  const totals = (await loop.archive.ledgerTotals('c-poisoned'))['trial-seconds'];
  expect(totals.open).toBe(0);
  expect(totals.settled).toBeGreaterThan(30);
  expect(totals.settled).toBeCloseTo(
    trials.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    5,
  );
}, 120_000);

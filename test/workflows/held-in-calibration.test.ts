import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CampaignStatus, statusQuery, taskQueues, updateNames, workflowTypes } from '../../workflows/contracts/messages.ts';
import { type Loop, startLoop } from '../support/loop.ts';

let loop: Loop;
beforeAll(async () => {
  loop = await startLoop({ trainingMs: 300 });
}, 120_000);
afterAll(() => loop?.stop(), 60_000);

it('a campaign that is paused while it calibrates is recorded as paused until it is resumed', async () => {
  const handle = await loop.client.workflow.start(workflowTypes.campaign, {
    taskQueue: taskQueues.discovery,
    workflowId: 'c-held',
    args: [{ preset: 'tiny', experiments: 1, minutes: 5 }],
  });
  const recorded = async () => (await loop.archive.getCampaign('c-held'))?.state;
  const status = () => handle.query<CampaignStatus>(statusQuery);
  await expect.poll(async () => (await status()).inFlight.length, { timeout: 30_000 }).toBe(2);
  await handle.executeUpdate(updateNames.pause);
  await expect.poll(async () => (await status()).stage, { timeout: 30_000 }).toBe('proposing, checking and training candidates');
  await expect.poll(recorded).toBe('paused');
  await sleep(300);
  expect(await recorded()).toBe('paused');
  await handle.executeUpdate(updateNames.resume);
  await handle.result();
  expect(await recorded()).toBe('finished');
}, 60_000);

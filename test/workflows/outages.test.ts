import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openOutageLog } from '../../services/outages/outage-log.ts';
import { type CampaignStatus, statusQuery, taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { type Loop, startLoop } from '../support/loop.ts';

let loop: Loop;
beforeAll(async () => {
  loop = await startLoop({ trainingMs: 500 });
}, 120_000);
afterAll(async () => {
  await loop?.stop();
}, 60_000);

it('a process that breaks stands on the page of a running campaign, and what broke before it began does not', async () => {
  const logs = join(loop.config.home, 'logs');
  mkdirSync(logs, { recursive: true });
  const log = openOutageLog(join(logs, 'outages.jsonl'));
  const at = (ms: number): string => new Date(ms).toISOString();
  log.append({ at: at(Date.now() - 60_000), process: 'judge', lastWords: 'yesterday' });
  const handle = await loop.client.workflow.start(workflowTypes.campaign, {
    taskQueue: taskQueues.discovery,
    workflowId: 'c-broken-host',
    args: [{ preset: 'tiny', experiments: 4 }],
    memo: { refreshMs: 200 },
  });
  const notices = async (): Promise<readonly string[]> => (await handle.query<CampaignStatus>(statusQuery)).notices;
  const until = async (text: string): Promise<readonly string[]> => {
    for (let tries = 0; tries < 100; tries++) {
      const found = await notices();
      if (found.some((notice) => notice.includes(text))) return found;
      await setTimeout(100);
    }
    throw new Error(`nothing says "${text}": ${JSON.stringify(await notices())}`);
  };
  while ((await handle.query<CampaignStatus>(statusQuery)).state !== 'exploring') await setTimeout(100);
  expect(await notices()).toEqual([]);
  for (const lastWords of ['python was ended by SIGKILL', 'MemoryError'])
    log.append({ at: at(Date.now()), process: 'trainer host', lastWords });
  expect(await until('broke 2 times')).toEqual([
    expect.stringMatching(/^The Python host of the trainer broke 2 times, the last time at .* UTC: MemoryError\. /),
  ]);
  await handle.result();
}, 120_000);

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CampaignStatus, statusQuery, taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { type Loop, startLoop } from '../support/loop.ts';

let loop: Loop;
beforeAll(async () => {
  loop = await startLoop();
}, 120_000);
afterAll(async () => {
  await loop?.stop();
}, 60_000);

const start = (workflowId: string, input: object) =>
  loop.client.workflow.start(workflowTypes.campaign, { taskQueue: taskQueues.discovery, workflowId, args: [input] });

describe('a campaign whose files cannot be written', { timeout: 120_000 }, () => {
  it('concludes without a bundle that cannot be written, and says which and why', async () => {
    const folder = join(loop.config.home, 'bundles', 'c-occupied-e0003');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'mine.txt'), 'not of an export');
    const handle = await start('c-occupied', { preset: 'tiny', experiments: 1 });
    await handle.result();
    const { conclusion } = await handle.query<CampaignStatus>(statusQuery);
    expect(conclusion?.bundlePaths).toEqual([]);
    expect(conclusion?.bundleFailures).toEqual([
      { experimentId: 'c-occupied/e0003', detail: expect.stringContaining('c-occupied-e0003') },
    ]);
  });

  it('finishes with its verdicts where neither bundle nor report can be written, and says how to write them later', async () => {
    const folders = ['bundles', 'reports'].map((name) => join(loop.config.home, name));
    const handle = await start('c-blocked', { preset: 'tiny', experiments: 1 });
    for (const folder of folders) {
      if (existsSync(folder)) renameSync(folder, `${folder}.aside`);
      writeFileSync(folder, 'a file');
    }
    try {
      await handle.result();
    } finally {
      for (const folder of folders) {
        rmSync(folder);
        if (existsSync(`${folder}.aside`)) renameSync(`${folder}.aside`, folder);
      }
    }
    const campaign = await loop.archive.getCampaign('c-blocked');
    expect(campaign?.state).toBe('finished');
    expect(campaign?.conclusion).toMatchObject({
      statement: expect.stringContaining('Nothing was found'),
      reportPath: null,
      reportFailure: expect.stringMatching(/reports is a file, not a folder\. .* npx asi report c-blocked writes it$/),
      bundlePaths: [],
      bundleFailures: [
        {
          experimentId: 'c-blocked/e0003',
          detail: expect.stringMatching(/bundles\/c-blocked-e0003.* npx asi export c-blocked\/e0003 writes it$/),
        },
      ],
    });
  });
});

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BundleRecord } from '../../../../services/export/bundle-record.ts';
import { prepareData } from '../../../../workers/activities/open-campaign.ts';
import { findHeldOutData } from '../../../../workers/cli/verify/held-out-data.ts';
import { readConfig } from '../../../../workers/config.ts';
import { rungs } from '../../../../workflows/contracts/rung.ts';
import { aCampaign } from '../../../support/builders.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const python = process.env.ASI_PYTHON ?? 'python3';

/** A home that has prepared a text, and a campaign on that text as a bundle tells it. */
const prepared = async () => {
  const home = temporaryFolder();
  const texts = join(home, 'texts');
  mkdirSync(texts);
  for (let file = 0; file < 120; file++) writeFileSync(join(texts, `${file}.txt`), `line ${file} of a text\n`.repeat(100));
  const folders = { python, dataFolder: join(home, 'data'), judgeFolder: join(home, 'judge') };
  const { folder: _, ...data } = await prepareData(folders, { data: { kind: 'folder', path: texts }, rung: 'tiny' });
  const campaign: BundleRecord['campaign'] = { ...aCampaign(), rung: rungs.tiny, budgetChanges: [], controls: [], data };
  return { config: readConfig({ ASI_HOME: home, ASI_PYTHON: python }), home, texts, campaign };
};

it('what a preparation that was killed left goes with the next one, and that of one at work stays', async () => {
  const home = temporaryFolder();
  const texts = join(home, 'texts');
  mkdirSync(texts);
  for (let file = 0; file < 120; file++) writeFileSync(join(texts, `${file}.txt`), `line ${file} of a text\n`.repeat(100));
  const dataFolder = join(home, 'data');
  const [dead, alive] = [join(dataFolder, 'prepare-999999999-1'), join(dataFolder, `prepare-${process.pid}-1`)];
  for (const folder of [dead, alive]) mkdirSync(folder, { recursive: true });
  await prepareData(
    { python, dataFolder, judgeFolder: join(home, 'judge') },
    { data: { kind: 'folder', path: texts }, rung: 'tiny' },
  );
  expect([existsSync(dead), existsSync(alive)]).toEqual([false, true]);
}, 60_000);

describe('the held-out text of a bundle', { timeout: 60_000 }, () => {
  it('is what this home holds, or what it prepares again', async () => {
    const { config, home, texts, campaign } = await prepared();
    expect(await findHeldOutData(config, campaign, null)).toMatchObject({ ok: true, data: { hash: campaign.data.hash } });
    rmSync(join(home, 'data'), { recursive: true });
    expect(await findHeldOutData(config, campaign, null)).toMatchObject({ ok: false, state: 'not-repeated' });
    expect(await findHeldOutData(config, campaign, texts)).toMatchObject({ ok: true, data: { hash: campaign.data.hash } });
  });

  it('contradicts a bundle that tells other sizes of it', async () => {
    const { config, home, texts, campaign } = await prepared();
    const forged = { ...campaign, data: { ...campaign.data, trainBytes: 1_000_000_000 } };
    const told = {
      ok: false,
      state: 'mismatch',
      why: expect.stringMatching(/^record\.json is altered: trainBytes of the data is 1000000000, and here \d+$/),
    };
    expect(await findHeldOutData(config, forged, null)).toEqual(told);
    rmSync(join(home, 'data'), { recursive: true });
    expect(await findHeldOutData(config, forged, texts)).toEqual(told);
  });
});

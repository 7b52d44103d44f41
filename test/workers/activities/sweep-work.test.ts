import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { sweepWork } from '../../../workers/activities/sweep-work.ts';
import { checkFolder, workdirOf } from '../../../workers/activities/workdir.ts';
import { aCampaign } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

it('a trainer that starts removes the work of campaigns that are over, and nobody else’s', async () => {
  const folder = temporaryFolder();
  const archive = openSqliteArchive(join(folder, 'archive.db'));
  const workFolder = join(folder, 'work');
  await sweepWork({ archive, workFolder });
  await archive.createCampaign(aCampaign({ id: 'c-over', workflowId: 'c-over', state: 'cancelled' }));
  await archive.createCampaign(aCampaign({ id: 'c-runs', workflowId: 'c-runs', state: 'exploring' }));
  for (const id of ['c-over', 'c-runs', 'gate'])
    for (const path of [workdirOf(workFolder, `${id}/e0001/tiny/s1`), join(checkFolder(workFolder), id, 'e0001', 'abc')])
      mkdirSync(path, { recursive: true });
  await sweepWork({ archive, workFolder });
  expect(readdirSync(workFolder).sort()).toEqual(['c-runs', 'check', 'gate']);
  expect(readdirSync(checkFolder(workFolder)).sort()).toEqual(['c-runs', 'gate']);
  await archive.close();
});

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { archiveApplicationId, archiveMigrations } from '../../../services/archive/sqlite-schema.ts';
import { campaignSchema } from '../../../workflows/contracts/campaign.ts';
import { scoreSchema } from '../../../workflows/contracts/score.ts';
import { aCampaign, aScore, aTrial } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A file as the first version of the program left it, with one finished campaign and an exploring and a confirming trial. */
const firstVersion = (path: string): void => {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA application_id = ${archiveApplicationId}; ${archiveMigrations[0]}; PRAGMA user_version = 1;`);
  const campaign = aCampaign({ state: 'finished' });
  const { shards: _, ...data } = campaign.data;
  database
    .prepare('INSERT INTO campaigns VALUES (?, ?, ?, ?, ?)')
    .run(campaign.id, campaign.state, campaign.epoch, campaign.createdAt, JSON.stringify({ ...campaign, data }));
  for (const trial of [aTrial({ seed: 1 }), aTrial({ seed: 2, purpose: 'confirm' })]) {
    database
      .prepare('INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?)')
      .run(trial.id, 'c-test', trial.experimentId, trial.state, trial.epoch, JSON.stringify(trial));
    const { trialId, metric, value, seed, rung, programHash, checkpointHash, dataHash, sandboxTier, device } = aScore({
      trialId: trial.id,
    });
    const row = { trialId, metric, value, seed, rung, programHash, checkpointHash, dataHash, scorerVersion: '1' };
    database
      .prepare('INSERT INTO scores VALUES (?, ?, ?, ?, ?)')
      .run(trial.id, metric, 'c-test', trial.experimentId, JSON.stringify({ ...row, sandboxTier, device }));
  }
  database.close();
};

it('reads scores from before the judge by their trial, without prefixes or a seal, and keeps its guards', async () => {
  const path = join(temporaryFolder(), 'archive.db');
  firstVersion(path);
  const archive = openSqliteArchive(path);
  const rows = await archive.listScores({ campaignId: 'c-test' });
  expect(rows.map((row) => scoreSchema.parse(row))).toMatchObject([
    { set: 'search', value: 2.5, fullSequence: 2.5, prefixes: 0, judgeVersion: 'before the judge', seal: '0'.repeat(64) },
    { set: 'promotion', seed: 2 },
  ]);
  expect(await archive.countLooks({ dataHash: aScore().dataHash, set: 'promotion' })).toEqual({ trials: 1, campaigns: 1 });
  const campaign = campaignSchema.parse(await archive.getCampaign('c-test'));
  expect(campaign.data.shards.search.bytes).toBe(campaign.data.heldOutBytes);
  await archive.close();
  const database = new DatabaseSync(path);
  expect(() => database.exec('DELETE FROM scores')).toThrow(/never deleted/);
  expect(() => database.exec("UPDATE scores SET metric = 'copy-loss'")).toThrow(/never change/);
  expect(() => database.exec("UPDATE campaigns SET state = 'exploring'")).toThrow(/never changes/);
  database.close();
});

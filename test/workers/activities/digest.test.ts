import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { bestRow, readDigest } from '../../../workers/activities/digest.ts';
import { aCampaign, aLedgerRow } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { openSeeded } from '../seeded-campaign.ts';

it('tells seconds that were spent from those that are held, so that what was spent never falls', async () => {
  const archive = openSqliteArchive(join(temporaryFolder(), 'archive.db'));
  await archive.createCampaign(aCampaign());
  const seen: { readonly spent: number; readonly reserved: number | undefined }[] = [];
  const steps = [
    { purpose: 'a', kind: 'reserve', amount: 45 },
    { purpose: 'b', kind: 'reserve', amount: 45 },
    { purpose: 'a', kind: 'settle', amount: 12 },
    { purpose: 'b', kind: 'settle', amount: 9 },
  ] as const;
  for (const step of steps) {
    await archive.appendLedger(aLedgerRow(step));
    const { trialSeconds, trialSecondsReserved } = await readDigest({ archive }, 'c-test');
    seen.push({ spent: trialSeconds, reserved: trialSecondsReserved });
  }
  expect(seen).toEqual([
    { spent: 0, reserved: 45 },
    { spent: 0, reserved: 90 },
    { spent: 12, reserved: 45 },
    { spent: 21, reserved: 0 },
  ]);
  await archive.close();
});

it('gives every row of the best its gain, but none to the reference, which is compared with nothing', async () => {
  const { experiments } = await openSeeded();
  const scored = experiments.filter(({ fitness }) => fitness !== null);
  expect(scored.length).toBeGreaterThan(2);
  const [reference, ...others] = scored.map(bestRow);
  expect(reference).toMatchObject({ isReference: true, gain: null, fitness: expect.any(Number) });
  for (const row of others) {
    expect(row.isReference).toBeUndefined();
    expect(row.gain).not.toBeNull();
  }
});

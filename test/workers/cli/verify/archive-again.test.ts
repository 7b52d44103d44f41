import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BundleRecord } from '../../../../services/export/bundle-record.ts';
import { exportBundle } from '../../../../services/export/export-bundle.ts';
import { readManifest } from '../../../../services/export/manifest.ts';
import { recordStep } from '../../../../workers/cli/verify/archive-again.ts';
import type { VerifyStep } from '../../../../workers/view/verify-lines.ts';
import { aHash } from '../../../support/builders.ts';
import { freshStores, type Stores } from '../../../support/exportable.ts';
import { forgeFile, forgeRecord, recordOf } from '../../../support/forge-bundle.ts';
import { storeJudgedCampaign, winnerId } from '../../../support/judged-campaign.ts';

const exported = async (): Promise<{ readonly stores: Stores; readonly path: string }> => {
  const stores = freshStores();
  await storeJudgedCampaign(stores);
  const { path } = await exportBundle({ ...stores, experimentId: winnerId, folder: join(stores.folder, 'bundles') });
  return { stores, path };
};

/** What the home of `stores` says of a bundle. `isOurs`: its judge knows some of the seals. */
const toldOf = async (
  stores: Pick<Stores, 'artifacts' | 'folder'> & { readonly archive: Stores['archive'] | null },
  { path, isOurs = true }: { readonly path: string; readonly isOurs?: boolean },
): Promise<VerifyStep> => {
  const read = await readManifest(path);
  if (!read.ok) throw new Error(read.problems[0]?.detail);
  const scratch = join(stores.folder, 'scratch');
  return recordStep(stores, { manifest: read.manifest, record: recordOf(path), scratch, isOurs });
};

describe('the archive beside a bundle', () => {
  it('gives the same bundle', async () => {
    const { stores, path } = await exported();
    expect(await toldOf(stores, { path })).toMatchObject({
      state: 'verified',
      detail: '27 rows and every file are those that the archive of this home gives',
    });
  });

  it('gives the same one where only the list of the judge is another', async () => {
    const { stores, path } = await exported();
    forgeFile(path, 'lists.json', () => '[1]\n');
    expect(await toldOf(stores, { path })).toMatchObject({ state: 'verified' });
  });

  it.each<readonly [what: string, change: (record: BundleRecord) => BundleRecord, told: readonly RegExp[]]>([
    [
      'rows that were left out',
      (record) => ({ ...record, scores: record.scores.filter(({ set }) => set !== 'champion') }),
      [
        /bits-per-byte of c-test\/e0003\/tiny\/s1[01]001 on set champion.* and 7 more is in the archive and not in record\.json/,
        /scores\.json differs/,
      ],
    ],
    [
      'rows that were added',
      (record) => ({
        ...record,
        scores: [
          ...record.scores,
          ...record.scores
            .filter(({ set }) => set === 'search')
            .slice(-1)
            .map((row) => ({ ...row, set: 'champion' as const })),
        ],
      }),
      [/on set champion is in record\.json and not in the archive/],
    ],
    [
      'a row with another seal',
      (record) => ({
        ...record,
        scores: record.scores.map((row, index) => (index === 0 ? { ...row, seal: aHash('other') } : row)),
      }),
      [/is another in record\.json than in the archive/],
    ],
    [
      'settings that were not those',
      (record) => ({ ...record, campaign: { ...record.campaign, settings: { ...record.campaign.settings, finalists: 16 } } }),
      [/gives another bundle \(.*\): record\.json differs; settings\.json differs$/],
    ],
    [
      'an ancestor that was not there',
      (record) => ({ ...record, ancestors: [] }),
      [/lineage\.json differs; record\.json differs$/],
    ],
    [
      'a trial that took less time',
      (record) => ({ ...record, trials: record.trials.map((trial) => ({ ...trial, cpuSeconds: 0.1 })) }),
      [/recipe\.json differs; record\.json differs$/],
    ],
  ])('tells of %s', async (_, change, told) => {
    const { stores, path } = await exported();
    forgeRecord(path, change);
    const { state, detail } = await toldOf(stores, { path });
    expect(state).toBe('mismatch');
    for (const pattern of told) expect(detail).toMatch(pattern);
  });

  it('tells of rows whose seals were all invented, as long as the campaign is the one of this home', async () => {
    const { stores, path } = await exported();
    forgeRecord(path, (record) => ({ ...record, scores: record.scores.map((row) => ({ ...row, seal: aHash(row.metric) })) }));
    expect(await toldOf(stores, { path, isOurs: false })).toMatchObject({ state: 'mismatch' });
  });

  it('says nothing of the campaign of another home that has the same id', async () => {
    const { stores, path } = await exported();
    forgeRecord(path, (record) => ({ ...record, campaign: { ...record.campaign, runId: 'another-run' } }));
    expect(await toldOf(stores, { path, isOurs: false })).toMatchObject({
      state: 'not-repeated',
      detail: expect.stringMatching(/^this home has another campaign with id c-test; .* are what the bundle says$/),
    });
    // Seals of this home's judge on another campaign are a contradiction.
    expect(await toldOf(stores, { path })).toMatchObject({ state: 'mismatch' });
  });

  it('says that there is no archive, no such experiment, or no longer its program', async () => {
    const { stores, path } = await exported();
    const words = async (step: Promise<VerifyStep>) => `${(await step).state}: ${(await step).detail}`;
    expect(await words(toldOf({ ...stores, archive: null }, { path }))).toMatch(/^not-repeated: this home has no archive/);
    expect(await words(toldOf(freshStores(), { path }))).toMatch(/^not-repeated: this home did not record the experiment/);
    rmSync(join(stores.folder, 'artifacts'), { recursive: true });
    expect(await words(toldOf(stores, { path }))).toMatch(/^not-repeated: .* is gone from the artifacts folder/);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BundleRecord } from '../../../../services/export/bundle-record.ts';
import { exportBundle } from '../../../../services/export/export-bundle.ts';
import { cutsFor, figureStep } from '../../../../workers/cli/verify/figures.ts';
import type { Score } from '../../../../workflows/contracts/score.ts';
import { freshStores } from '../../../support/exportable.ts';
import { recordOf } from '../../../support/forge-bundle.ts';
import { storeJudgedCampaign, winnerId } from '../../../support/judged-campaign.ts';

let record: BundleRecord;
beforeAll(async () => {
  const stores = freshStores(mkdtempSync(join(tmpdir(), 'asi-judged-')));
  await storeJudgedCampaign(stores);
  const { path } = await exportBundle({ ...stores, experimentId: winnerId, folder: join(stores.folder, 'bundles') });
  record = recordOf(path);
  await stores.archive.close();
  rmSync(stores.folder, { recursive: true, force: true });
});

const lastSeed = (): number => Math.max(...record.scores.map(({ seed }) => seed));
const without = (rows: readonly Score[], seed: number): Score[] => rows.filter((row) => row.seed !== seed);

describe('figures made again from the rows', () => {
  it('are those of an honest bundle, verdict included', () => {
    expect(record.experiment.verdict?.verdict).toBe('better');
    const walled: BundleRecord = JSON.parse(JSON.stringify(record).replaceAll('"sandboxTier":"none"', '"sandboxTier":"S2"'));
    expect(figureStep(walled)).toMatchObject({ state: 'verified', detail: expect.stringContaining('so does the verdict') });
    expect(cutsFor(record)).toBe(300);
  });

  it('leave open whether a verdict may stand where something was scored without a sandbox', () => {
    expect(figureStep(record)).toMatchObject({ state: 'not-repeated', detail: expect.stringContaining('without a sandbox') });
  });

  it.each<readonly [what: string, change: (record: BundleRecord) => BundleRecord, told: RegExp]>([
    [
      'another fitness',
      (it) => ({
        ...it,
        experiment: { ...it.experiment, fitness: it.experiment.fitness && { ...it.experiment.fitness, value: 9 } },
      }),
      /the fitness is not what the rows give/,
    ],
    [
      'a smaller noise floor',
      (it) => ({ ...it, campaign: { ...it.campaign, noise: it.campaign.noise.map((floor) => ({ ...floor, pairedSd: 0 })) } }),
      /the noise floor is not/,
    ],
    [
      'a better verdict than the rows give',
      (it) => ({
        ...it,
        scores: it.scores.map((row) => (row.set === 'promotion' ? { ...row, value: row.value + 1 } : row)),
      }),
      /the verdict says "Better than .*; the rows give "Worse than/,
    ],
    [
      'no row of the champion set',
      (it) => ({ ...it, scores: it.scores.filter(({ set }) => set !== 'champion') }),
      /the rows give "Not distinguishable after the champion set/,
    ],
    [
      'a doubt left out',
      (it) => ({ ...it, experiment: { ...it.experiment, doubts: [] } }),
      /it tells 0 doubts about a result that is too good; the rows give "bits-per-byte is 0\.\d+ lower than that of the best baseline/,
    ],
    [
      'a doubt with another number',
      (it) => ({
        ...it,
        experiment: {
          ...it.experiment,
          doubts: it.experiment.doubts.map((doubt) => ({ ...doubt, detail: doubt.detail.replace(/\d\.\d+/, '9.0000') })),
        },
      }),
      /it tells 1 doubts about a result that is too good; the rows give "bits-per-byte/,
    ],
    [
      'a doubt that fresh data do not bear out',
      (it) => ({
        ...it,
        scores: it.scores.map((row) => (row.set === 'champion' && row.seed < 11_000 ? { ...row, value: row.value + 1 } : row)),
      }),
      /and fresh data do not bear it out: over the reference it gained 0\.\d+ in bits-per-byte on the search set and -0\./,
    ],
    [
      'no controls of the gates',
      (it) => ({ ...it, campaign: { ...it.campaign, controls: [] } }),
      /the gates were not tried on the control running-mean, leak-at-few-positions, leak-told-by-content in this campaign/,
    ],
    [
      'a control that ended otherwise',
      (it) => ({ ...it, campaign: { ...it.campaign, controls: it.campaign.controls.map((one) => ({ ...one, held: false })) } }),
      /because the gates refused the honest control running-mean/,
    ],
    ['no audit of a result that is too good', (it) => ({ ...it, audits: [] }), /was not audited with 300 cuts/],
    ['no audit', (it) => ({ ...it, audits: [] }), /the gates could not be run with 300 cuts/],
    [
      'the audit of another program',
      (it) => ({ ...it, audits: it.audits.map((audit) => ({ ...audit, programHash: '0'.repeat(64) })) }),
      /the audit of c-test\/e0003 with 300 cuts is not about this program/,
    ],
    [
      'the strongest baseline left out',
      (it) => ({
        ...it,
        baselines: it.baselines.filter(({ id }) => id !== 'c-test/e0002'),
        noise: it.noise.filter(({ experimentId }) => experimentId !== 'c-test/e0002'),
      }),
      /noise floor is not|the verdict says/,
    ],
    [
      'the reference left out',
      (it) => ({ ...it, baselines: it.baselines.filter(({ id }) => id !== 'c-test/e0001') }),
      /the reference c-test\/e0001 is not among the baselines/,
    ],
    [
      'a weaker baseline than its rows are',
      (it) => ({ ...it, baselines: it.baselines.map((one) => (one.number === 2 ? { ...one, fitness: -1 } : one)) }),
      /the fitness of c-test\/e0002 is not what its rows give/,
    ],
    [
      'an exploring seed left out',
      (it) => ({ ...it, scores: without(it.scores, Math.min(...it.scores.map(({ seed }) => seed))) }),
      /the candidate has no bits-per-byte score on seed/,
    ],
    [
      'a verdict on fewer seeds than the design asks for',
      (it) => ({ ...it, trials: it.trials.filter(({ purpose }) => purpose === 'explore') }),
      /there is a verdict, and the rows give none/,
    ],
  ])('tell of %s', (_, change, told) => {
    const step = figureStep(change(structuredClone(record)));
    expect(step.state).toBe('mismatch');
    expect(step.detail).toMatch(told);
    expect(step.detail).toMatch(/^record\.json is altered/);
  });

  it('say that a verdict is missing where there are fresh seeds', () => {
    const step = figureStep({ ...record, experiment: { ...record.experiment, verdict: null } });
    expect(step).toMatchObject({ state: 'not-repeated', detail: expect.stringContaining('or the verdict was left out') });
  });

  it('tell of a seed whose rows went while its trial stayed', () => {
    expect(figureStep({ ...record, scores: without(record.scores, lastSeed()) }).state).toBe('mismatch');
  });
});

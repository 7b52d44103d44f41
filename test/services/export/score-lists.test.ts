import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BundleRecord } from '../../../services/export/bundle-record.ts';
import { exportBundle } from '../../../services/export/export-bundle.ts';
import { compareWithLists, listedExperiments, rowsByExperiment, scoringDigest } from '../../../services/export/score-lists.ts';
import type { Score } from '../../../workflows/contracts/score.ts';
import type { ScoreList } from '../../../workflows/contracts/score-list.ts';
import { aHash } from '../../support/builders.ts';
import { freshStores } from '../../support/exportable.ts';
import { recordOf } from '../../support/forge-bundle.ts';
import { storeJudgedCampaign, winnerId } from '../../support/judged-campaign.ts';

let record: BundleRecord;
let lists: readonly ScoreList[];
beforeAll(async () => {
  const stores = freshStores(mkdtempSync(join(tmpdir(), 'asi-judged-')));
  await storeJudgedCampaign(stores);
  const { path } = await exportBundle({ ...stores, experimentId: winnerId, folder: join(stores.folder, 'bundles') });
  record = recordOf(path);
  lists = await Promise.all(
    listedExperiments(record).map(async (id) => listOf(id, await stores.archive.listScores({ experimentId: id }))),
  );
  await stores.archive.close();
  rmSync(stores.folder, { recursive: true, force: true });
});

/** What a judge that sealed these rows tells; its seal does not matter here. */
const listOf = (experimentId: string, rows: readonly Score[]): ScoreList => ({
  experimentId,
  scorings: [...Map.groupBy(rows, ({ trialId, set }) => `${trialId} ${set}`).values()].flatMap((group) => {
    const [first] = group;
    return first === undefined
      ? []
      : [{ trialId: first.trialId, set: first.set, rows: group.length, digest: scoringDigest(group) }];
  }),
  seal: aHash(),
});

const withoutGroup = (trialId: string, set: Score['set']): BundleRecord => ({
  ...record,
  scores: record.scores.filter((row) => row.trialId !== trialId || row.set !== set),
});
const lastTrial = (): string => record.trials.at(-1)?.id ?? '';

describe('the lists of a judge', () => {
  it('are about every experiment that the bundle has rows of, and fit them', () => {
    expect(listedExperiments(record)).toEqual([winnerId, 'c-test/e0001', 'c-test/e0002']);
    expect([...rowsByExperiment(record).keys()].toSorted()).toEqual(listedExperiments(record).toSorted());
    expect(compareWithLists(record, lists)).toEqual({ contradictions: [], unexplained: [], repeated: [] });
  });

  it('tell of a set that was left out', () => {
    expect(compareWithLists(withoutGroup(lastTrial(), 'champion'), lists).contradictions).toEqual([
      `the judge scored ${lastTrial()} on set champion, and record.json leaves it out`,
    ]);
  });

  it('tell of rows that were added', () => {
    const shorter = lists.map((list) => ({ ...list, scorings: list.scorings.filter(({ set }) => set !== 'champion') }));
    expect(compareWithLists(record, shorter).contradictions).toContain(
      `record.json has rows of ${lastTrial()} on set champion, which the judge does not list`,
    );
  });

  it('tell of one row that was exchanged or left out', () => {
    const [first, ...rest] = record.scores;
    if (first === undefined) throw new Error('no rows');
    for (const scores of [rest, [{ ...first, seal: aHash('other') }, ...rest]])
      expect(compareWithLists({ ...record, scores }, lists).contradictions).toEqual([
        `the rows of ${first.trialId} on set ${first.set} in record.json are not those that the judge lists`,
      ]);
  });

  it('tell of rows of a baseline that were left out', () => {
    const baselines = record.baselines.map((one) => ({ ...one, scores: one.scores.filter(({ set }) => set === 'search') }));
    const { contradictions } = compareWithLists({ ...record, baselines }, lists);
    expect(contradictions.length).toBeGreaterThan(3);
    expect(contradictions[0]).toMatch(/^the judge scored c-test\/e0001\/.* and record\.json leaves it out$/);
  });

  it('ask only for the exploring rows of what lends its noise', () => {
    const baselines = record.baselines.filter(({ number }) => number === 1);
    expect(compareWithLists({ ...record, baselines }, lists).contradictions).toEqual([]);
    const noise = record.noise.map((one) => ({ ...one, scores: one.scores.slice(3) }));
    expect(compareWithLists({ ...record, baselines, noise }, lists).contradictions).toEqual([
      expect.stringMatching(/^the judge scored c-test\/e0002\/.* on set search/),
    ]);
  });

  it('leave open what a worker lost that died after the scoring, and say so', () => {
    const trials = record.trials.map((trial) => (trial.id === lastTrial() ? { ...trial, state: 'cancelled' as const } : trial));
    const scores = record.scores.filter(({ trialId }) => trialId !== lastTrial());
    const { contradictions, unexplained } = compareWithLists({ ...record, trials, scores }, lists);
    expect(contradictions).toEqual([]);
    expect(unexplained.toSorted()).toEqual(
      [
        `the judge scored ${lastTrial()} on set champion, and record.json says that the trial ended otherwise`,
        `the judge scored ${lastTrial()} on set promotion, and record.json says that the trial ended otherwise`,
      ].toSorted(),
    );
  });

  it('take either of two scorings of one trial, and tell that there were two', () => {
    const twice = lists.map((list) => ({
      ...list,
      scorings: list.scorings.flatMap((one) => (one.trialId === lastTrial() ? [one, { ...one, digest: aHash('other') }] : [one])),
    }));
    const { contradictions, repeated } = compareWithLists(record, twice);
    expect(contradictions).toEqual([]);
    expect(repeated.toSorted()).toEqual([`${lastTrial()} on set champion`, `${lastTrial()} on set promotion`]);
  });
});

import { expect, it } from 'vitest';
import { ScoreTable } from '../../../workers/activities/score-table.ts';
import { aScore } from '../../support/builders.ts';

const trial = (seed: number) => `c-test/e0001/tiny/s${seed}`;
const rows = [
  aScore({ trialId: trial(1), set: 'search', value: 1 }),
  aScore({ trialId: trial(2), set: 'promotion', value: 2 }),
  aScore({ trialId: trial(2), set: 'champion', value: 3 }),
];

it('keeps champion rows out of what guides and confirms, though they are of the same trials', () => {
  const table = new ScoreTable(rows);
  expect(table.rows('c-test/e0001')).toEqual(rows.slice(0, 2));
  const values = table.values('c-test/e0001', { metric: 'bits-per-byte', seeds: [1, 2] });
  expect([...values]).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

it('keeps a baseline at another learning rate apart, though it is of the same experiment and seeds', () => {
  const rated = aScore({ trialId: 'c-test/e0001/tiny-twice-rate/s2', set: 'promotion', value: 4 });
  const table = new ScoreTable([...rows, rated]);
  expect(table.rows('c-test/e0001')).toEqual(rows.slice(0, 2));
  expect([...table.values('c-test/e0001@twice-rate', { metric: 'bits-per-byte', seeds: [2] })]).toEqual([[2, 4]]);
  expect(table.rows('c-test/e0001@half-rate')).toEqual([]);
});

it('is of the champion set alone where that is asked for', () => {
  const values = new ScoreTable(rows, ['champion']).values('c-test/e0001', { metric: 'bits-per-byte', seeds: [1, 2] });
  expect([...values]).toEqual([[2, 3]]);
});

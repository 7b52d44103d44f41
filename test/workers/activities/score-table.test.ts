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

it('is of the champion set alone where that is asked for', () => {
  const values = new ScoreTable(rows, ['champion']).values('c-test/e0001', { metric: 'bits-per-byte', seeds: [1, 2] });
  expect([...values]).toEqual([[2, 3]]);
});

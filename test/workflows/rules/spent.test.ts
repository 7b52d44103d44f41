import { describe, expect, it } from 'vitest';
import { secondsSpent, spentSoFar, withRun } from '../../../workflows/rules/spent.ts';
import { aTrial } from '../../support/builders.ts';

const run = (runId: string, seconds: number, work: 'train' | 'answer' = 'train') => ({ runId, work, seconds }) as const;

describe('what a trial has spent', () => {
  it('is the sum of its runs, each counted once with the most that was heard of it', () => {
    const told = [run('a', 2), run('a', 5), run('b', 1), run('a', 4), run('b', 3), run('c', 2, 'answer')];
    const spent = told.reduce(withRun, [] as ReturnType<typeof withRun>);
    expect(spent).toEqual([run('a', 5), run('b', 3), run('c', 2, 'answer')]);
    expect(secondsSpent(spent)).toBe(10);
  });

  it('goes on from the sums where an older version wrote no runs', () => {
    const usage = { trainSeconds: 6, answerSeconds: null, timesExpected: null, timesReference: null, mark: null };
    const older = spentSoFar(aTrial({ cpuSeconds: 9, usage }));
    expect(older.map(({ work, seconds }) => [work, seconds])).toEqual([
      ['train', 6],
      ['repeat', 3],
    ]);
    expect(secondsSpent(withRun(older, run('a', 1)))).toBe(10);
    expect(spentSoFar(aTrial({ cpuSeconds: 0 }))).toEqual([]);
    expect(spentSoFar(aTrial({ cpuSeconds: 9, usage, spent: [run('a', 1)] }))).toEqual([run('a', 1)]);
  });
});

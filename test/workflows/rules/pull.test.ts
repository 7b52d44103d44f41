import { describe, expect, it } from 'vitest';
import { pullDoubt, pullLimit, timesPull } from '../../../workflows/rules/pull.ts';
import { aTrial } from '../../support/builders.ts';

const confirmed = (times: number | null, part: object = {}) =>
  aTrial({
    purpose: 'confirm',
    usage: {
      ...{ trainSeconds: 1, answerSeconds: 1, timesExpected: 1, timesReference: 1, mark: null },
      timesPull: times,
    },
    ...part,
  });

describe('the pull of a program', () => {
  it('is held against that of the median baseline', () => {
    expect(timesPull(1.5, [0.4, 0.5, 0.9])).toBe(3);
    expect(timesPull(1.5, [null, 0.5, undefined])).toBe(3);
    for (const baselines of [[], [null], [0]]) expect(timesPull(1.5, baselines)).toBeNull();
    expect(timesPull(null, [0.5])).toBeNull();
  });

  it('is no doubt up to its limit, and one above it in the median of its fresh seeds', () => {
    expect(pullDoubt([1.6, pullLimit, 9].map((times) => confirmed(times)))).toBeNull();
    expect(pullDoubt([1, 4.6, 5].map((times) => confirmed(times)))).toContain('are 4.6 times those of the baselines (limit 2.5)');
  });

  it('is of fresh seeds alone, and nothing where it was not measured', () => {
    expect(pullDoubt([confirmed(9, { purpose: 'explore' })])).toBeNull();
    expect(pullDoubt([confirmed(null), aTrial()])).toBeNull();
    expect(pullDoubt([])).toBeNull();
  });
});

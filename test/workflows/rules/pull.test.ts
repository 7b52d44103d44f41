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
  const of = (pull: number | null, pullOfOne: number | null = pull) => ({ pull, pullOfOne });

  it('is held against that of the median baseline', () => {
    expect(
      timesPull(
        of(1.5),
        [0.4, 0.5, 0.9].map((pull) => of(pull)),
      ),
    ).toBeCloseTo(3);
    expect(timesPull(of(1.5), [of(null), of(0.5)])).toBeCloseTo(3);
    for (const baselines of [[], [of(null)], [of(0)]]) expect(timesPull(of(1.5), baselines)).toBeNull();
    expect(timesPull(of(null), [of(0.5)])).toBeNull();
  });

  it('is raised neither by many numbers that pull as one of a baseline nor by few that pull as hard together', () => {
    expect(timesPull(of(3, 0.2), [of(0.6, 0.2)])).toBeCloseTo(1);
    expect(timesPull(of(0.6, 0.6), [of(0.6, 0.2)])).toBeCloseTo(1);
    expect(timesPull(of(3, 0.8), [of(0.6, 0.2)])).toBeCloseTo(4);
  });

  it('is raised by few numbers that pull much harder than those of any baseline', () => {
    // SSD behind a gate that opens late, and recursive least squares, against the median baselines at quick.
    expect(timesPull(of(0.902, 3.86), [of(0.629, 0.309)])).toBeGreaterThan(1.5 * pullLimit);
    expect(timesPull(of(0.666, 0.724), [of(0.629, 0.309)])).toBeLessThan(pullLimit / 2);
  });

  it('is that of all numbers where that of one is not known, as in records of older versions', () => {
    expect(timesPull(of(3, null), [of(0.6, 0.2)])).toBeCloseTo(5);
    expect(timesPull(of(3, 0.2), [of(0.6, null)])).toBeCloseTo(5);
  });

  it('is no doubt up to its limit, and one above it in the median of its fresh seeds', () => {
    expect(pullDoubt([1.6, pullLimit, 9].map((times) => confirmed(times)))).toBeNull();
    expect(pullDoubt([1, 4.6, 5].map((times) => confirmed(times)))).toContain('4.6 times those of the baselines (limit 2.2)');
  });

  it('is of exploring seeds and of fresh ones by themselves, and nothing where it was not measured', () => {
    const explored = confirmed(9, { purpose: 'explore' });
    expect(pullDoubt([explored, confirmed(1), confirmed(1)])).toContain('9.0 times');
    expect(pullDoubt([confirmed(9, { purpose: 'rate' })])).toBeNull();
    expect(pullDoubt([confirmed(null), aTrial()])).toBeNull();
    expect(pullDoubt([])).toBeNull();
  });
});

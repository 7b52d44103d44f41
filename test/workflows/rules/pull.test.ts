import { describe, expect, it } from 'vitest';
import { pullDoubt, pullLimit, timesPull } from '../../../workflows/rules/pull.ts';
import { aModelSize, aTrial } from '../../support/builders.ts';

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
  const of = (pull: number | null, mixerParameters = 20) => ({
    pull,
    sizes: [aModelSize({ task: 'bytes', parameters: 100, mixerParameters })],
  });

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
    expect(timesPull({ pull: 1.5, sizes: [] }, [of(0.5)])).toBeNull();
  });

  it('is not raised by the size of a mixer: neither more numbers that pull as hard nor fewer that carry as much', () => {
    // Each number pulls as those of the baseline do: 60 of 100 against 20 of 100.
    expect(timesPull(of((0.5 * (60 / 40)) / (20 / 80), 60), [of(0.5)])).toBeCloseTo(1);
    expect(timesPull(of(0.5, 5), [of(0.5)])).toBeCloseTo(1);
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

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OperatorOutcome, operatorCredit } from '../../../workflows/rules/operator-credit.ts';

const operators = ['mutate:decay', 'mutate:fir', 'crossover'];
const outcome: fc.Arbitrary<OperatorOutcome> = fc.record({
  operator: fc.constantFrom(...operators, 'baseline'),
  gain: fc.option(fc.oneof(fc.double(), fc.double({ min: -0.2, max: 0.2, noNaN: true })), { nil: null }),
});
const of = (outcomes: readonly OperatorOutcome[], operator = 'mutate:decay', fullGain?: number): number =>
  operatorCredit({ operators, outcomes, ...(fullGain === undefined ? {} : { fullGain }) }).get(operator) ?? Number.NaN;
const repeat = (gain: number | null, times: number, operator = 'mutate:decay'): OperatorOutcome[] =>
  Array.from({ length: times }, () => ({ operator, gain }));

describe('operatorCredit', () => {
  it('stays between a quarter and four, never zero, whatever was measured', () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 60 }), (outcomes) => {
        const credit = operatorCredit({ operators, outcomes });
        expect([...credit.keys()]).toEqual(operators);
        for (const factor of credit.values()) {
          expect(factor).toBeGreaterThan(0.25);
          expect(factor).toBeLessThan(4);
        }
      }),
    );
  });

  it('is one without evidence', () => {
    expect([...operatorCredit({ operators, outcomes: [] }).values()]).toEqual([1, 1, 1]);
    expect(of(repeat(0.1, 5), 'mutate:fir')).toBe(1);
    expect(of(repeat(0, 5))).toBe(1);
  });

  it('rises with gains and falls with losses and failures', () => {
    expect(of(repeat(0.1, 3))).toBeGreaterThan(of(repeat(0.1, 1)));
    expect(of(repeat(0.1, 1))).toBeGreaterThan(1);
    expect(of(repeat(-0.1, 1))).toBeLessThan(1);
    expect(of(repeat(null, 1))).toBeLessThan(1);
    expect(of(repeat(null, 1))).toBeGreaterThan(of(repeat(-0.1, 1)));
    expect(of(repeat(Number.NaN, 1))).toBe(of(repeat(null, 1)));
  });

  it('does not mind the unit of the gains unless one is named', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }), (gains) => {
        const outcomes = gains.map((gain, index) => ({ operator: operators[index % 3] ?? '', gain: Math.round(gain * 1000) }));
        const thousandth = outcomes.map(({ operator, gain }) => ({ operator, gain: gain / 1024 }));
        expect(of(thousandth)).toBeCloseTo(of(outcomes), 10);
      }),
    );
    expect(of(repeat(0.05, 1), 'mutate:decay', 0.05)).toBeGreaterThan(of(repeat(0.05, 1), 'mutate:decay', 0.5));
  });

  it('forgets: an old gain weighs less than a new one', () => {
    const later = repeat(0.1, 40, 'mutate:fir');
    const old = of([...repeat(0.1, 1), ...later]);
    const recent = of([...later, ...repeat(0.1, 1)]);
    expect(old).toBeGreaterThan(1);
    expect(recent).toBeGreaterThan(old);
  });

  it('turns with the evidence: a loss after a gain pulls further than a gain after a loss lifts', () => {
    expect(of([...repeat(0.1, 1), ...repeat(-0.1, 1)])).toBeLessThan(1);
    expect(of([...repeat(-0.1, 1), ...repeat(0.1, 1)])).toBeGreaterThan(1);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rungNames } from '../../../workflows/contracts/rung.ts';
import { lookBudget, looksWarning, overdrawnSets, uncountedRungs } from '../../../workflows/rules/looks.ts';
import { campaignError } from '../../../workflows/rules/sequential-design.ts';

describe('the budget of looks', () => {
  it('is such that all campaigns within it err together no more often than it says', () => {
    expect((lookBudget.promotion ?? Number.NaN) * campaignError).toBeCloseTo(0.25, 10);
    expect((lookBudget.champion ?? Number.NaN) * campaignError).toBeCloseTo(0.1, 10);
    expect(lookBudget.search).toBeNull();
  });

  it('is not drawn on by a rung whose scores rank nothing, and by every other one', () => {
    expect(rungNames.filter((name) => !uncountedRungs.includes(name))).toEqual(['quick', 'standard']);
  });

  it('is silent up to the last campaign that it bears, and warns from the next on', () => {
    const last = { search: 5000, promotion: 10, champion: 4 };
    expect(overdrawnSets(last)).toEqual([]);
    expect(looksWarning(last)).toBe('');
    expect(looksWarning({ ...last, promotion: 11 })).toBe(
      'Warning: the held-out text is worn. It was asked, the promotion set by 11 campaigns of 10 that it bears: over all of them the chance of a wrong "better" is no longer controlled. Take other text (setting data).',
    );
    expect(overdrawnSets({ search: 0, promotion: 11, champion: 5 })).toEqual(['promotion', 'champion']);
    expect(looksWarning({ search: 0, promotion: 11, champion: 5 })).toContain(
      '11 campaigns of 10 that it bears and the champion set by 5',
    );
  });

  it('warns exactly where a set is overdrawn', () => {
    const number = fc.nat(30);
    fc.assert(
      fc.property(fc.record({ search: number, promotion: number, champion: number }), (looks) => {
        expect(looksWarning(looks) !== '').toBe(looks.promotion > 10 || looks.champion > 4);
      }),
    );
  });
});

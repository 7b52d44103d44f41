import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BudgetAmounts,
  budgetLeft,
  confirmationReserve,
  reserveEstimate,
  spentBudget,
} from '../../../workflows/rules/budget.ts';

const caps: BudgetAmounts = { experiments: 10, minutes: 30, trialSeconds: 3600 };
const nothing: BudgetAmounts = { experiments: 0, minutes: 0, trialSeconds: 0 };
const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
const amounts = fc.record({ experiments: fc.nat(1000), minutes: amount, trialSeconds: amount });

describe('budgetLeft', () => {
  it('is the cap less what is used, and never negative', () => {
    expect(budgetLeft({ caps, used: { experiments: 4, minutes: 31, trialSeconds: 3600 } })).toEqual({
      experiments: 6,
      minutes: 0,
      trialSeconds: 0,
    });
  });
});

describe('spentBudget', () => {
  it('speaks up exactly when one cap is met', () => {
    fc.assert(
      fc.property(amounts, amounts, (someCaps, used) => {
        const isSpent =
          used.experiments >= someCaps.experiments ||
          used.minutes >= someCaps.minutes ||
          used.trialSeconds >= someCaps.trialSeconds;
        expect(spentBudget({ caps: someCaps, used }) !== null).toBe(isSpent);
      }),
    );
  });

  it.each([
    [{ experiments: 10 }, 'experiments', 'the budget of 10 candidates is used up'],
    [{ minutes: 30.01 }, 'minutes', 'the budget of 30 minutes is used up'],
    [{ trialSeconds: 4000 }, 'trialSeconds', 'the budget of 3600 trial seconds is used up'],
  ])('names what ended with %j', (used, resource, words) => {
    expect(spentBudget({ caps, used: { ...nothing, ...used } })).toEqual({ resource, words });
  });
});

describe('reserveEstimate', () => {
  it('is twice the longest trial, within the wall limit, and the first reserve of the rung before there was one', () => {
    const rung = { firstSeconds: 45, wallLimitSeconds: 180 };
    expect(reserveEstimate({ ...rung, longestTrialSeconds: null })).toBe(45);
    expect(reserveEstimate({ ...rung, longestTrialSeconds: 12 })).toBe(24);
    expect(reserveEstimate({ ...rung, longestTrialSeconds: 120 })).toBe(180);
  });

  it('covers every trial that is no longer than twice the longest so far', () => {
    fc.assert(
      fc.property(amount, amount, fc.double({ min: 0, max: 2, noNaN: true }), (longest, wall, factor) => {
        const seconds = Math.min(longest * factor, wall);
        const rung = { firstSeconds: wall / 4, wallLimitSeconds: wall };
        expect(reserveEstimate({ ...rung, longestTrialSeconds: longest })).toBeGreaterThanOrEqual(seconds);
      }),
    );
  });
});

describe('confirmationReserve', () => {
  it('keeps a mean trial for every fresh seed of finalists and baselines, and one more', () => {
    const campaign = { trialSecondsUsed: 200, trialsEnded: 20, finalists: 2, confirmSeeds: 3 };
    expect(confirmationReserve({ ...campaign, baselines: 2 })).toBe(10 * (4 * 3 + 1));
    expect(confirmationReserve({ ...campaign, baselines: 3 })).toBe(10 * (5 * 3 + 1));
  });

  it('knows nothing before a trial has ended', () => {
    expect(confirmationReserve({ trialSecondsUsed: 15, trialsEnded: 0, finalists: 2, baselines: 3, confirmSeeds: 3 })).toBe(0);
  });
});

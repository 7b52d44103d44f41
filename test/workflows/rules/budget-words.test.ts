import { describe, expect, it } from 'vitest';
import { budgetUseWords, capWords } from '../../../workflows/rules/budget-words.ts';

describe('budgetUseWords', () => {
  it.each([
    [{ used: 812.4, cap: 3600, reserved: 240 }, 0, '812 of 3,600, 240 more reserved'],
    [{ used: 812.4, cap: 3600, reserved: 0 }, 0, '812 of 3,600'],
    [{ used: 1.26, cap: 0.015 }, 1, '1.3, past the cap of 0.015'],
    [{ used: 4, cap: 1 }, 0, '4, past the cap of 1'],
    [{ used: 4, cap: 4, reserved: 0.4 }, 0, '4 of 4'],
  ])('writes %j with %i digits as "%s"', (use, digits, words) => {
    expect(budgetUseWords(use, digits)).toBe(words);
  });
});

describe('capWords', () => {
  it.each([
    [0.02, '0.02 minutes'],
    [1, '1 minute'],
    [1.5, '1.5 minutes'],
    [3600, '3,600 minutes'],
    [0, '0 minutes'],
  ])('says a cap of %d as it was given: "%s"', (cap, words) => {
    expect(capWords(cap, 'minute')).toBe(words);
  });
});

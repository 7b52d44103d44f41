import { describe, expect, it } from 'vitest';
import { nominalErrors, spentError } from '../../../workflows/rules/alpha-spending.ts';
import { normalTail, normalUpper } from '../../../workflows/rules/normal.ts';
import { createRandom } from '../../../workflows/rules/random.ts';

describe('normalTail', () => {
  // Printed tables and mpmath's erfc.
  it.each([
    [0, 0.5],
    [1, 0.15865525393145707],
    [1.959963984540054, 0.025],
    [2.5, 0.006209665325776132],
    [4, 3.167124183311986e-5],
    [8, 6.220960574271785e-16],
    [-1, 0.8413447460685429],
  ])('at %s is %s', (z, expected) => {
    expect(normalTail(z) / expected).toBeCloseTo(1, 11);
    expect(normalUpper(expected)).toBeCloseTo(z, 7);
  });

  it.each([0, 1, Number.NaN])('has no place with the tail %s', (tail) => {
    expect(() => normalUpper(tail)).toThrow('tail');
  });
});

describe('nominalErrors', () => {
  it('is the whole error where there is one look', () => {
    expect(nominalErrors({ looks: [3], error: 0.025 })[0]).toBeCloseTo(0.025, 12);
  });

  it("gives the published boundaries of O'Brien and Fleming's spending function for five even looks", () => {
    // C. Jennison and B. Turnbull, "Group Sequential Methods", 2000; the same as gsDesign's sfLDOF.
    const boundaries = nominalErrors({ looks: [1, 2, 3, 4, 5], error: 0.025 }).map(normalUpper);
    for (const [look, expected] of [4.8769, 3.3569, 2.6803, 2.2898, 2.031].entries())
      expect(boundaries[look]).toBeCloseTo(expected, 2);
  });

  it('errs as often as it says over all looks', () => {
    const random = createRandom('looks');
    const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    const looks = [3, 5, 8];
    const boundaries = nominalErrors({ looks, error: 0.05 }).map(normalUpper);
    const rounds = 20_000;
    let crossed = 0;
    for (let round = 0; round < rounds; round++) {
      let sum = 0;
      let seeds = 0;
      crossed += looks.some((upTo, look) => {
        for (; seeds < upTo; seeds++) sum += normal();
        return sum / Math.sqrt(seeds) > (boundaries[look] ?? 0);
      })
        ? 1
        : 0;
    }
    expect(crossed / rounds).toBeGreaterThan(0.045);
    expect(crossed / rounds).toBeLessThan(0.055);
  });

  it('spends all of it at the end and no more', () => {
    expect(spentError({ share: 1, error: 0.025 })).toBeCloseTo(0.025, 12);
    expect(spentError({ share: 2, error: 0.025 })).toBeCloseTo(0.025, 12);
  });

  it.each([[[3, 3]], [[5, 3]], [[0, 3]]])('refuses the looks %s', (looks) => {
    expect(() => nominalErrors({ looks, error: 0.025 })).toThrow('looks');
  });

  it.each([0, 0.5, Number.NaN])('refuses the error %s', (error) => {
    expect(() => nominalErrors({ looks: [3], error })).toThrow('error');
  });
});

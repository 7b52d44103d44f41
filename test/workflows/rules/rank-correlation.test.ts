import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../workflows/rules/random.ts';
import { rankCorrelation, spearman } from '../../../workflows/rules/rank-correlation.ts';

describe('spearman', () => {
  it('is one for any rising relation and minus one for any falling one', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 3, maxLength: 12 }), (values) => {
        expect(spearman(values.map((value) => [value, value ** 3]))).toBeCloseTo(1, 12);
        expect(spearman(values.map((value) => [value, -Math.exp(value / 50)]))).toBeCloseTo(-1, 12);
      }),
    );
  });

  it('shares ranks among ties', () => {
    // Ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4.
    expect(
      spearman([
        [1, 10],
        [2, 30],
        [2, 20],
        [3, 40],
      ]),
    ).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });

  it('says nothing of two pairs or of a constant', () => {
    expect(
      spearman([
        [1, 2],
        [2, 3],
      ]),
    ).toBeNull();
    expect(
      spearman([
        [1, 2],
        [1, 3],
        [1, 4],
      ]),
    ).toBeNull();
  });
});

describe('rankCorrelation', () => {
  const rising = (count: number) => Array.from({ length: count }, (_, index) => [index, index ** 2] as const);

  it('counts every order of a few pairs', () => {
    // One order of six rises and one falls.
    expect(rankCorrelation(rising(3))).toEqual({ rho: 1, low: null, high: null, chance: 2 / 6, pairs: 3 });
    expect(rankCorrelation(rising(5))?.chance).toBeCloseTo(2 / 120, 12);
  });

  it('claims no interval where all ranks agree or are reversed, however few they are', () => {
    const reversed = (count: number) => rising(count).map(([first, second]) => [first, -second] as const);
    for (const pairs of [rising(4), rising(9), reversed(4)])
      expect(rankCorrelation(pairs)).toMatchObject({ low: null, high: null });
  });

  it('gives chances that are as small as they say, where there is nothing', () => {
    const random = createRandom('no correlation');
    const rounds = 400;
    const small = Array.from({ length: rounds }, () => {
      const pairs = Array.from({ length: 6 }, () => [random.next(), random.next()] as const);
      return (rankCorrelation(pairs)?.chance ?? 1) <= 0.1;
    }).filter(Boolean).length;
    expect(small / rounds).toBeLessThan(0.14);
    expect(small / rounds).toBeGreaterThan(0.05);
  });

  it('has bounds around the estimate and inside of what is possible, narrower with more pairs', () => {
    const random = createRandom('bounds');
    const pairsOf = (count: number) =>
      Array.from({ length: count }, () => random.next()).map((x) => [x, x + 0.5 * random.next()] as const);
    const few = rankCorrelation(pairsOf(8));
    const many = rankCorrelation(pairsOf(60));
    for (const one of [few, many]) {
      expect(one?.low).toBeGreaterThanOrEqual(-1);
      expect(one?.low).toBeLessThan(one?.rho ?? 0);
      expect(one?.high).toBeGreaterThan(one?.rho ?? 0);
      expect(one?.high).toBeLessThanOrEqual(1);
    }
    expect((many?.high ?? 0) - (many?.low ?? 0)).toBeLessThan((few?.high ?? 0) - (few?.low ?? 0));
    expect(many?.chance).toBeLessThan(0.001);
  });

  it('says nothing where a value is not finite', () => {
    expect(rankCorrelation([...rising(4), [Number.NaN, 1]])).toBeNull();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../workflows/rules/random.ts';

const draws = (seed: number | string, count = 20): number[] => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

describe('createRandom', () => {
  it('gives the same draws for the same seed, as a number or as text', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(draws(seed)).toEqual(draws(String(seed)));
      }),
    );
  });

  it('gives the draws that it gave when campaigns were first recorded', () => {
    const random = createRandom('1/7/parents');
    expect([random.int(1000), random.int(1000), random.int(1000), random.int(2 ** 32)]).toMatchInlineSnapshot(`
      [
        999,
        501,
        300,
        830998828,
      ]
    `);
  });

  it('gives unrelated draws for near seeds', () => {
    const firsts = new Set(Array.from({ length: 2000 }, (_, seed) => createRandom(seed).next()));
    expect(firsts.size).toBe(2000);
    const mean = [...firsts].reduce((sum, value) => sum + value, 0) / 2000;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
  });

  it('tells seeds apart by every part of a character', () => {
    expect(draws('ā')).not.toEqual(draws('\u0001'));
    expect(draws('')).not.toEqual(draws(' '));
  });

  it('spreads next evenly over [0, 1)', () => {
    const counts = new Array<number>(10).fill(0);
    for (const value of draws('even', 20_000)) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(1);
      const bin = Math.floor(10 * value);
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
    expect(chiSquare).toBeLessThan(27.9); // 99.9 % of a chi-square with 9 degrees.
  });

  it('draws whole numbers below n, all of them in time', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 12 }), (seed, n) => {
        const random = createRandom(seed);
        const seen = new Set(Array.from({ length: 40 * n }, () => random.int(n)));
        expect([...seen].toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, index) => index));
      }),
    );
  });

  it('draws without a bias where n does not divide the range', () => {
    const n = 3 * 2 ** 30; // A plain remainder would give the first quarter of the range half of the draws.
    const random = createRandom('bias');
    const low = Array.from({ length: 3000 }, () => random.int(n)).filter((value) => value < 2 ** 30).length;
    expect(Math.abs(low / 3000 - 1 / 3)).toBeLessThan(0.03);
  });

  it.each([0, -1, 1.5, 2 ** 32 + 1, Number.NaN])('refuses int(%s)', (n) => {
    expect(() => createRandom(1).int(n)).toThrow(RangeError);
  });

  it('picks and shuffles without losing or repeating anything', () => {
    fc.assert(
      fc.property(fc.integer(), fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 20 }), (seed, items) => {
        const random = createRandom(seed);
        expect(items).toContain(random.pick(items));
        const mixed = random.shuffle(items);
        expect(mixed.toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b));
      }),
    );
    expect(createRandom(1).shuffle([])).toEqual([]);
    expect(() => createRandom(1).pick([])).toThrow('nothing to pick');
  });

  it('puts every item in every place equally often', () => {
    const random = createRandom('shuffle');
    const firsts = Array.from({ length: 3000 }, () => random.shuffle(['a', 'b', 'c'])[0]);
    for (const item of ['a', 'b', 'c'])
      expect(Math.abs(firsts.filter((first) => first === item).length / 3000 - 1 / 3)).toBeLessThan(0.04);
  });

  it('draws items as often as their weights say, and one without weight never', () => {
    const random = createRandom('weights');
    const drawn = Array.from({ length: 4000 }, () => random.weighted(['none', 'three', 'one', 'last'], [0, 3, 1, 0]));
    expect(drawn).not.toContain('none');
    expect(drawn).not.toContain('last');
    expect(Math.abs(drawn.filter((item) => item === 'three').length / 4000 - 0.75)).toBeLessThan(0.03);
  });

  it.each([
    [[1, 2, 3], '2 items and 3 weights'],
    [[1, -1], 'weight -1'],
    [[1, Number.NaN], 'weight NaN'],
    [[Number.POSITIVE_INFINITY, 1], 'weight Infinity'],
    [[0, 0], 'no weight is above zero'],
  ])('refuses the weights %j', (weights, message) => {
    expect(() => createRandom(1).weighted(['a', 'b'], weights)).toThrow(message);
  });

  it('forks by label alone, however far the stream has gone', () => {
    const random = createRandom('campaign');
    const before = random.fork('a').next();
    random.next();
    expect(random.fork('a').next()).toBe(before);
    expect(random.fork('b').next()).not.toBe(before);
    expect(createRandom('campaign/a').next()).toBe(before);
  });
});

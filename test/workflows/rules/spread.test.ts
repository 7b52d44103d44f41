import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../workflows/rules/random.ts';
import { floorOf, pooled, residualSpread, withoutPair } from '../../../workflows/rules/spread.ts';

const row = (...values: readonly number[]): ReadonlyMap<number, number> =>
  new Map(values.map((value, index) => [index + 1, value]));

describe('residualSpread', () => {
  it('is twice the squares that architectures and seeds leave over', () => {
    // Residuals ±0.01 in four cells.
    const spread = residualSpread([row(2, 2.1), row(1.5, 1.64)], [1, 2]);
    expect(spread?.squares).toBeCloseTo(2 * 4e-4, 12);
    expect(spread?.degreesOfFreedom).toBe(1);
  });

  it('leaves out rows that lack a seed or hold no number, and is unknown without two seeds', () => {
    const rows = [row(1, 1.1), row(1, 1.2)];
    expect(residualSpread([...rows, row(3), row(1, Number.NaN)], [1, 2])).toEqual(residualSpread(rows, [1, 2]));
    expect(residualSpread(rows, [1])).toBeNull();
    expect(residualSpread([], [1, 2])).toBeNull();
  });
});

describe('withoutPair', () => {
  it('takes off what the compared pair holds, and adds up again with it', () => {
    const random = createRandom('pairs');
    const rows = Array.from({ length: 4 }, () => row(random.next(), random.next(), random.next()));
    const [a, b] = rows;
    const differences = [1, 2, 3].map((seed) => (a?.get(seed) ?? 0) - (b?.get(seed) ?? 0));
    const whole = residualSpread(rows, [1, 2, 3]);
    const rest = withoutPair(whole, differences);
    const centre = differences.reduce((sum, value) => sum + value, 0) / 3;
    const own = { squares: differences.reduce((sum, value) => sum + (value - centre) ** 2, 0), degreesOfFreedom: 2 };
    expect(pooled([rest, own]).squares).toBeCloseTo(whole?.squares ?? 0, 12);
    expect(rest?.degreesOfFreedom).toBe(4);
  });

  it('does not move with the pair', () => {
    const [c, d] = [row(1, 1.3, 1.1), row(2, 2.1, 2.4)];
    const rest = (a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>, differences: readonly number[]) =>
      withoutPair(residualSpread([a, b, c, d], [1, 2, 3]), differences)?.squares;
    // Both pairs have the sum 2 on each seed; what parts them is theirs alone.
    expect(rest(row(1, 1, 1), row(1, 1, 1), [0, 0, 0])).toBeCloseTo(rest(row(2, 0, 1), row(0, 2, 1), [2, -2, 0]) ?? 0, 12);
  });

  it('is nothing where only the pair was there', () => {
    expect(withoutPair(residualSpread([row(1, 2, 3), row(1, 2.5, 3)], [1, 2, 3]), [0, 0.5, 0])).toBeNull();
    expect(withoutPair(null, [1, 2])).toBeNull();
  });
});

describe('floorOf', () => {
  it('is the deviation of one paired difference', () => {
    expect(floorOf({ squares: 0.08, degreesOfFreedom: 2 })).toEqual({ pairedSd: 0.2, degreesOfFreedom: 2 });
    expect(floorOf({ squares: 0, degreesOfFreedom: 0 })).toBeNull();
    expect(floorOf(null)).toBeNull();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paretoFront } from '../../../workflows/rules/pareto.ts';

const of = (...costs: readonly number[]) => ({ costs });

describe('paretoFront', () => {
  it('keeps what nothing beats on every axis', () => {
    const [cheap, both, recall, beaten] = [of(2, 3), of(2.1, 2), of(2.5, 1), of(2.2, 2.5)];
    expect(paretoFront([cheap, both, recall, beaten])).toEqual([cheap, both, recall]);
    expect(paretoFront([of(2, 3, 1), of(2, 3, 2), of(2, 4, 0.5)])).toEqual([of(2, 3, 1), of(2, 4, 0.5)]);
  });

  it('keeps equal ones and leaves out what was not measured', () => {
    expect(paretoFront([of(1, 1), of(1, 1), of(0, Number.NaN)])).toEqual([of(1, 1), of(1, 1)]);
    expect(paretoFront([])).toEqual([]);
  });

  it('leaves out exactly those that another dominates', () => {
    const axis = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(fc.array(fc.tuple(axis, axis, axis), { maxLength: 12 }), (rows) => {
        const all = rows.map((costs) => ({ costs }));
        const front = new Set(paretoFront(all));
        for (const one of all) {
          const isBeaten = all.some(
            (other) =>
              other.costs.every((cost, at) => cost <= (one.costs[at] ?? 0)) &&
              other.costs.some((cost, at) => cost < (one.costs[at] ?? 0)),
          );
          expect(front.has(one)).toBe(!isBeaten);
        }
      }),
    );
  });
});

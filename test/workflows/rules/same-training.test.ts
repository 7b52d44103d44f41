import { describe, expect, it } from 'vitest';
import { areSameTraining } from '../../../workflows/rules/same-training.ts';

const curve = (factors: Readonly<Record<number, number>> = {}) =>
  (['bytes', 'recall'] as const).flatMap((task, at) =>
    [5, 10, 15].map((step, index) => ({ task, step, loss: (5 - at - index / 2) * (factors[3 * at + index] ?? 1) })),
  );

describe('two trainings', () => {
  it('are of one function when they differ by what rounding does', () => {
    expect(areSameTraining(curve(), curve())).toBe(true);
    expect(areSameTraining(curve({ 0: 1 + 9e-8, 1: 1.0001, 2: 1.02, 3: 1 - 9e-8, 5: 0.95 }), curve())).toBe(true);
  });

  it.each([
    ['the first report of a task', { 3: 1 + 2e-7 }],
    ['a later one by more than rounding grows to', { 2: 1.2 }],
  ])('are not when they differ in %s', (_, factors) => {
    expect(areSameTraining(curve(factors), curve())).toBe(false);
    expect(areSameTraining(curve(), curve(factors))).toBe(false);
  });

  it('are not told by one number, by losses that are none, or where one went further', () => {
    expect(areSameTraining(curve().slice(0, 1), curve().slice(0, 1))).toBe(false);
    expect(areSameTraining(curve().slice(0, 4), curve())).toBe(false);
    const broken = curve().map((point) => ({ ...point, loss: null }));
    expect(areSameTraining(broken, broken)).toBe(false);
  });
});

import { expect, test } from 'vitest';
import { comparisonWords, effectWords, standingOf } from '../../../services/analyst/effect-words.ts';
import { aComparison, anEffect } from '../../support/builders.ts';

test.each([
  ['gained', 0.001, 0.2],
  ['lost', -0.2, -0.001],
  ['untold', -0.001, 0.2],
  ['untold', -0.2, 0.001],
  ['untold', 0, 0.2],
  ['untold', -0.2, 0],
] as const)('%s is what the interval [%d, %d] allows', (standing, low, high) => {
  expect(standingOf(anEffect({ mean: (low + high) / 2, low, high }))).toBe(standing);
});

test('an effect is told with its size, unit, interval, rival and seeds', () => {
  expect(effectWords(anEffect({ mean: 0.041, low: 0.02, high: 0.062 }), 'kda')).toBe(
    'gained 0.041 bits per byte [0.020, 0.062] over kda on 2 common seeds',
  );
  expect(effectWords(anEffect({ mean: -0.041, low: -0.062, high: -0.02, seeds: 1 }), 'kda')).toBe(
    'lost 0.041 bits per byte [−0.062, −0.020] against kda on 1 common seed',
  );
  expect(effectWords(anEffect({ mean: -0.0001, low: -0.03, high: 0.03 }), 'kda')).toBe(
    'cannot be told from kda in bits per byte (0.000 [−0.030, 0.030], 2 common seeds)',
  );
});

test('accuracy is told in points, losses in nats', () => {
  expect(effectWords(anEffect({ metric: 'recall-accuracy', mean: 0.05, low: 0.01, high: 0.09 }), 'x')).toContain(
    'gained 5.0 points of recall accuracy [1.0, 9.0]',
  );
  expect(effectWords(anEffect({ metric: 'recall-auc' }), 'x')).toContain('nats of recall loss');
  expect(effectWords(anEffect({ metric: 'copy-loss' }), 'x')).toContain('nats of copy loss');
});

test('a comparison without an effect says why', () => {
  expect(comparisonWords(aComparison({ effects: [], name: 'ssd' }))).toBe(
    'has no seed in common with ssd that allows an interval',
  );
});

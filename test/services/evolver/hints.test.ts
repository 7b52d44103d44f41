import { expect, test } from 'vitest';
import { geneAt, geneGroups } from '../../../services/evolver/genes.ts';
import { readHints } from '../../../services/evolver/hints.ts';

const steered = (hint: string): Readonly<Record<string, number>> => {
  const weights = readHints([hint]);
  return Object.fromEntries(geneGroups.map((group) => [group, weights.group(group)]).filter(([, weight]) => weight !== 1));
};

test.each([
  ['try wider FIR branches', { fir: 4, router: 4 }],
  ['slower decay', { decay: 4 }],
  ['more gating', { decay: 4, output: 4 }],
  ['the delta rule', { write: 4 }],
  ['a larger state', { heads: 4, 'state-size': 4 }],
  ['better feature maps', { 'feature-map': 4 }],
  ['hybrid with attention', { layers: 4 }],
  ['rotary positions', { position: 4 }],
  ['avoid FIR', { fir: 0.2, router: 0.2 }],
  ['no windows, more decay', { layers: 0.2, decay: 4 }],
  ['decay but not rope', { decay: 4, position: 0.2 }],
])('"%s" steers %o', (hint, groups) => {
  expect(steered(hint)).toEqual(groups);
});

test('a value by name becomes likelier itself, and its group with it', () => {
  const weights = readHints(['use a two-stage router and vector-data']);
  expect(weights.value(geneAt('router'), 'two-stage')).toBe(4);
  expect(weights.value(geneAt('router'), 'softmax')).toBe(1);
  expect(weights.value(geneAt('decay.kind'), 'vector-data')).toBe(4);
  expect(weights.group('decay')).toBe(4);
});

test('avoiding a value leaves its group and the other values of its gene alone', () => {
  const weights = readHints(['without softmax']);
  expect(weights.value(geneAt('router'), 'softmax')).toBe(0.2);
  expect(weights.value(geneAt('router'), 'sigmoid')).toBe(1);
  expect(weights.group('router')).toBe(1);
});

test('wider and shorter speak of the reach of branches', () => {
  expect(readHints(['wider fir']).value(geneAt('fir'), '3 31')).toBe(4);
  expect(readHints(['wider fir']).value(geneAt('fir'), '3 15')).toBe(1);
  expect(readHints(['shorter fir']).value(geneAt('fir'), '3 63')).toBe(0.2);
  expect(readHints(['shorter fir']).value(geneAt('fir'), 'none')).toBe(1);
});

test('a hint without a known word steers nothing and is told apart', () => {
  const weights = readHints(['be bold', 'decay']);
  expect(weights).toMatchObject({ followed: ['decay'], unknown: ['be bold'] });
  expect(steered('be bold')).toEqual({});
});

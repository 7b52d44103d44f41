import { expect, test } from 'vitest';
import { readEvidence } from '../../../services/evolver/evidence.ts';
import { geneAt } from '../../../services/evolver/genes.ts';
import type { Relative } from '../../../services/researcher/researcher.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import type { Change } from '../../../workflows/contracts/experiment.ts';
import { aRelative } from './relatives.ts';

const change = (gene: string, to: string): Change => ({ gene, from: 'none', to, recurrence: false });
const parent = aRelative({ number: 1, kind: 'baseline', fitness: 0.1, genome: baselineGenomes.deltanet });
const child = (number: number, part: Partial<Relative>): Relative => aRelative({ number, parentId: parent.id, ...part });

test('an outcome is the gain over the parent in the order of numbers, null for a failure of its own, nothing for others', () => {
  const history = [
    child(5, { operator: 'mutate:fir', fitness: null, failure: { label: 'diverged', detail: '' } }),
    child(2, { operator: 'mutate:decay', fitness: 0.3 }),
    child(3, { operator: 'crossover', fitness: null, failure: { label: 'infra', detail: '' } }),
    child(4, { operator: 'crossover', fitness: null }),
    aRelative({ number: 6, parentId: 'c-test/e0099', operator: 'crossover' }),
    parent,
  ];
  const { outcomes } = readEvidence(history);
  expect(outcomes.map(({ operator }) => operator)).toEqual(['mutate:decay', 'mutate:fir']);
  expect(outcomes[0]?.gain).toBeCloseTo(0.2);
  expect(outcomes[1]?.gain).toBeNull();
});

test('a value counts for more where the analyst could tell its gain, and for its share where others changed too', () => {
  const lesson = { change: 'fir: none → 3', lesson: '', gain: 0.2 };
  const gains = (part: Partial<Relative>): readonly number[] =>
    readEvidence([parent, child(2, { fitness: 0.3, changes: [change('fir', '3')], ...part })]).movesTo('fir', '3').gains;
  expect(gains({ lessons: [lesson] })[0]).toBeCloseTo(0.2);
  expect(gains({ lessons: [{ ...lesson, gain: null }] })[0]).toBeCloseTo(0.1);
  expect(gains({ changes: [change('fir', '3'), change('valueMix', 'skip')] })[0]).toBeCloseTo(0.05);
});

test('weights do not depend on the unit of the fitness', () => {
  const history = (unit: number): readonly Relative[] => [
    { ...parent, fitness: 0.1 * unit },
    child(2, { fitness: 0.3 * unit, changes: [change('fir', '3')] }),
    child(3, { fitness: -0.1 * unit, changes: [change('valueMix', 'skip')] }),
  ];
  const [small, large] = [readEvidence(history(1)), readEvidence(history(50))];
  const fir = geneAt('fir');
  expect(small.valueWeight(fir, '3')).toBeGreaterThan(1);
  expect(small.valueWeight(fir, '3')).toBeCloseTo(large.valueWeight(fir, '3'));
  expect(small.valueWeight(geneAt('valueMix'), 'skip')).toBeLessThan(1);
});

test('a value that every program has is not blamed for the failures of some', () => {
  const failing = { fitness: null, failure: { label: 'nonfinite' as const, detail: '' } };
  const additive = baselineGenomes.ssd;
  const squared = { ...baselineGenomes.deltanet, featureMap: 'square' as const };
  const { valueWeight } = readEvidence([
    parent,
    ...[2, 3, 4].map((number) => child(number, { genome: { ...baselineGenomes.deltanet, scale: 'one' } })),
    ...[5, 6, 7].map((number) => child(number, { genome: additive })),
    ...[8, 9].map((number) => child(number, { ...failing, genome: squared, changes: [change('featureMap', 'square')] })),
  ]);
  expect(valueWeight(geneAt('featureMap'), 'square')).toBeLessThan(0.65);
  expect(valueWeight(geneAt('layers.pattern'), 'uniform')).toBeGreaterThan(0.9);
  expect(valueWeight(geneAt('featureMap'), 'relu')).toBe(1);
});

test('no history is no opinion', () => {
  const evidence = readEvidence([]);
  expect(evidence.outcomes).toEqual([]);
  expect(evidence.valueWeight(geneAt('readout'), 'bonus')).toBe(1);
});

test('a design that a check refused counts against its values although the repaired one came through', () => {
  const householder = { ...baselineGenomes.deltanet, featureMap: 'square' as const };
  const refused = [{ genome: householder, changes: [change('featureMap', 'square')], label: 'gate' as const }];
  const passed = [2, 3, 4].map((number) => child(number, { fitness: 0.1 }));
  const evidence = readEvidence([parent, ...passed, child(5, { fitness: 0.1, refused }), child(6, { fitness: 0.1, refused })]);
  expect(evidence.movesTo('featureMap', 'square').failures).toEqual(['gate', 'gate']);
  expect(evidence.valueWeight(geneAt('featureMap'), 'square')).toBeLessThan(0.8);
  expect(readEvidence([parent, ...passed]).valueWeight(geneAt('featureMap'), 'square')).toBe(1);
});

import { expect, test } from 'vitest';
import { readEvidence } from '../../../services/evolver/evidence.ts';
import { readHints } from '../../../services/evolver/hints.ts';
import { expectEffect, type MotivationFacts, writeMotivation } from '../../../services/evolver/motivation.ts';
import type { Relative } from '../../../services/researcher/researcher.ts';
import type { Change } from '../../../workflows/contracts/experiment.ts';
import { anEffect } from '../../support/builders.ts';
import { aRelative } from './relatives.ts';

const toVector: Change = { gene: 'decay.kind', from: 'none', to: 'vector-data', recurrence: true };
const parent = aRelative({
  number: 2,
  name: 'delta + fir 3',
  parentId: 'c-test/e0001',
  fitness: 0.04,
  gains: [anEffect({ mean: 0.04, low: -0.01, high: 0.09, seeds: 1 })],
});
const root = aRelative({ number: 1, name: 'deltanet', fitness: 0 });

const motivated = (part: Partial<MotivationFacts> & { readonly history: readonly Relative[] }): string =>
  writeMotivation({
    stem: { name: parent.name, relative: parent, untyped: null },
    changes: [toVector],
    donor: null,
    evidence: readEvidence(part.history),
    hints: readHints([]),
    ...part,
  });

test('a motivation tells the origin, the change, the reason with its source and what the line measured', () => {
  expect(motivated({ history: [root, parent] })).toBe(
    'Starts from delta + fir 3. Changes: decay.kind: none → vector-data. decay.kind vector-data: A forget gate per key channel lets single ' +
      'features fade while others persist, at the price of a dearer chunk form. (GLA, arXiv 2312.06635; Kimi Linear (KDA), arXiv 2510.26692.) ' +
      'Measured so far: delta + fir 3 against the reference (positive is better): +0.040 [−0.010, +0.090] bits per byte on 1 seed. deltanet has no scores yet.',
  );
});

test('earlier moves to the same value are counted with their gains and failures', () => {
  const moved = (number: number, part: Partial<Relative>): Relative =>
    aRelative({ number, parentId: parent.id, changes: [toVector], ...part });
  const history = [
    root,
    parent,
    moved(3, { fitness: 0.14 }),
    moved(4, { fitness: 0.02 }),
    moved(5, { fitness: null, failure: { label: 'gate', detail: 'not causal' } }),
    moved(6, { fitness: null, failure: { label: 'infra', detail: 'disk full' } }),
  ];
  // Half of +0.10 and of -0.02, because no analysis could tell them from nothing.
  expect(motivated({ history })).toContain(
    '3 earlier moves to decay.kind vector-data: 1 of 2 measured gained (of its gain a move is credited +0.020 fitness on average, since others came with it or nobody can tell); 1 failed (gate).',
  );
});

test('a crossover names its donor, a line without scores says so, and unknown hints are told', () => {
  const text = motivated({
    stem: { name: 'kda', relative: null, untyped: null },
    donor: 'ssd',
    history: [],
    hints: readHints(['be bold', 'more decay']),
  });
  expect(text).toMatch(/^Starts from kda and takes over parts of ssd\. /);
  expect(text).toContain('Measured so far: nothing yet in this line.');
  expect(text).toContain('Drawn with the hints in mind: "more decay".');
  expect(text).toContain('No known component in: "be bold".');
});

test('many changes at once stay within the length of the record', () => {
  const changes = Array.from({ length: 24 }, () => toVector);
  const text = motivated({ history: [root, parent], changes });
  expect(text.length).toBeLessThanOrEqual(4000);
  expect(text).toContain('A further 18 changes come along.');
});

test('the expected effect weighs what is left against what is taken up', () => {
  const from = (gene: string, a: string, b: string): Change => ({ gene, from: a, to: b, recurrence: false });
  expect(expectEffect([from('write.kind', 'additive', 'delta')])).toMatch(
    /^Loss may improve\. Recall may improve\. Training is probably slower\./,
  );
  expect(expectEffect([from('write.kind', 'delta', 'additive')])).toMatch(
    /^Loss may suffer\. Recall may suffer\. Training is probably faster\./,
  );
  expect(expectEffect([from('fir', 'none', '3 15')])).toMatch(/^Loss may improve\. Recall may suffer\./);
  expect(expectEffect([from('scale', 'inverse-sqrt', 'one')])).toMatch(
    /^Loss: the literature does not say\..*Speed should hardly change/,
  );
  expect(expectEffect([])).toBe('Nothing is expected: the design was drawn at random.');
});

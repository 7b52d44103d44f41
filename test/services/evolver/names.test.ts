import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesBetween } from '../../../services/evolver/genes.ts';
import { nameGenome } from '../../../services/evolver/names.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import type { Genome } from '../../../workflows/contracts/genome.ts';
import { legalGenome } from './arbitrary-genomes.ts';

const gated = baselineGenomes['gated-deltanet'];
const named = (genome: Genome, taken: readonly string[] = []): string =>
  nameGenome(genome, { changes: changesBetween(gated, genome), taken: new Set(taken) });

test('a name is the recurrence, its paths and what was changed', () => {
  expect(named({ ...gated, fir: [3, 15], router: 'two-stage' })).toBe('gated-delta + fir 3,15 · two-stage');
  expect(named({ ...gated, decay: { kind: 'vector-data', param: 'double-exp' } })).toBe('channel-gated-delta · double-exp');
  expect(named({ ...gated, write: { ...gated.write, kind: 'householder', steps: 3 }, valueMix: 'skip' })).toBe(
    'gated-delta×3 + skip',
  );
  expect(named({ ...gated, heads: { multiple: 2, expandKey: 0.5, expandValue: 1 } })).toBe('gated-delta · double heads');
});

test('a bare recurrence gets a mark, or it would read like the baseline', () => {
  expect(named({ ...gated, decay: { kind: 'none', param: 'softplus' } })).toBe('delta · silu gate');
});

test('a taken name gets further marks, then a version', () => {
  const genome: Genome = { ...gated, readout: 'bonus' };
  const first = named(genome);
  const second = named(genome, [first]);
  expect(second.startsWith(`${first} · `)).toBe(true);
  const names: string[] = [];
  for (let round = 0; round < 12; round++) names.push(named(genome, names));
  expect(new Set(names).size).toBe(12);
  expect(names.at(-1)).toMatch(/ · v\d+$/);
});

test('a name is never empty and never longer than its record allows', () => {
  fc.assert(
    fc.property(legalGenome, legalGenome, (from, to) => {
      const name = nameGenome(to, { changes: changesBetween(from, to), taken: new Set() });
      expect(name.length).toBeGreaterThan(4);
      expect(name.length).toBeLessThanOrEqual(80);
    }),
  );
});

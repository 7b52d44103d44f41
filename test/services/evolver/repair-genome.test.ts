import fc from 'fast-check';
import { expect, test } from 'vitest';
import { geneGroups, genes } from '../../../services/evolver/genes.ts';
import { genomeKey } from '../../../services/evolver/genome-key.ts';
import { genomeViolations, isLegal } from '../../../services/evolver/legality.ts';
import { repairGenome } from '../../../services/evolver/repair-genome.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import type { Genome } from '../../../workflows/contracts/genome.ts';
import { anyGenome, legalGenome } from './arbitrary-genomes.ts';

const keeps = fc.subarray([...geneGroups]);

test('any combination becomes legal, whatever is to be kept', () => {
  fc.assert(
    fc.property(anyGenome, keeps, (genome, keep) => {
      expect(genomeViolations(repairGenome(genome, keep).genome)).toEqual([]);
    }),
    { numRuns: 3000 },
  );
});

test('a legal genome comes back as it is', () => {
  fc.assert(
    fc.property(legalGenome, keeps, (genome, keep) => {
      expect(repairGenome(genome, keep)).toEqual({ genome, repairs: [] });
    }),
  );
});

test('an illegal genome is told what was mended', () => {
  fc.assert(
    fc.property(
      anyGenome.filter((genome) => !isLegal(genome)),
      (genome) => {
        expect(repairGenome(genome).repairs.length).toBeGreaterThan(0);
      },
    ),
  );
});

const deltanet = baselineGenomes.deltanet;
const linear = baselineGenomes['linear-attention'];

test('of two genes that cannot live together the kept one stays', () => {
  const unnormalised: Genome = { ...deltanet, qkNorm: 'none' };
  expect(repairGenome(unnormalised).genome).toEqual({ ...deltanet, qkNorm: 'l2' });
  expect(repairGenome(unnormalised, ['qk-norm']).genome).toMatchObject({ qkNorm: 'none', write: { kind: 'additive' } });

  const tied: Genome = { ...deltanet, keyTie: 'one-minus-decay' };
  expect(repairGenome(tied).genome).toEqual(deltanet);
  expect(repairGenome(tied, ['key-tie']).genome).toMatchObject({
    keyTie: 'one-minus-decay',
    decay: { kind: 'vector-data' },
    write: { kind: 'additive' },
    qkNorm: 'none',
    shortConv: { k: false },
  });

  const routed: Genome = { ...linear, router: 'two-stage' };
  expect(repairGenome(routed).genome).toEqual(linear);
  expect(repairGenome(routed, ['router']).genome).toEqual({ ...linear, router: 'two-stage', fir: [3, 15] });

  const summed: Genome = { ...deltanet, featureMap: 'softmax', qkNorm: 'sum' };
  expect(repairGenome(summed, ['feature-map']).genome).toMatchObject({ featureMap: 'softmax', qkNorm: 'l2' });
  expect(repairGenome(summed, ['qk-norm']).genome).toMatchObject({ featureMap: 'elu-plus-one', qkNorm: 'sum' });
});

test('switches that do nothing play no part in the key of a genome', () => {
  const base = linear;
  const sameProgram: readonly Genome[] = [
    { ...base, decay: { ...base.decay, param: 'double-exp' } },
    { ...base, shortConv: { ...base.shortConv, kernel: 7 } },
    { ...base, layers: { pattern: 'uniform', window: 64 } },
    { ...base, router: 'softmax' },
  ];
  for (const genome of sameProgram) {
    expect(genomeKey(genome)).toBe(genomeKey(base));
  }
  const ordered: Genome = { ...base, fir: [3, 15], router: 'sigmoid' };
  expect(genomeKey({ ...ordered, fir: [15, 3, 15] })).toBe(genomeKey(ordered));
});

test('legal genomes have one key exactly when they are the same program', () => {
  fc.assert(
    fc.property(legalGenome, legalGenome, (a, b) => {
      const [left, right] = [repairGenome(a).genome, repairGenome(b).genome];
      expect(genomeKey(a) === genomeKey(b)).toBe(genes.every((gene) => gene.read(left) === gene.read(right)));
    }),
  );
  expect(genomeKey(baselineGenomes.kda)).not.toBe(genomeKey(baselineGenomes['gated-deltanet']));
});

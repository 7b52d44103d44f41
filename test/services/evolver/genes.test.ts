import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesBetween, geneAt, genes, undoChanges } from '../../../services/evolver/genes.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import { genomeSchema } from '../../../workflows/contracts/genome.ts';
import { anyGenome } from './arbitrary-genomes.ts';

test('every value of every gene can be written and read back, and fits the schema', () => {
  for (const gene of genes) {
    for (const value of gene.values) {
      const written = gene.write(baselineGenomes.kda, value);
      expect(gene.read(written)).toBe(value);
      expect(genomeSchema.safeParse(written).success, `${gene.path} = ${value}`).toBe(true);
    }
  }
});

test('the genes cover the whole genome: a genome is its values', () => {
  fc.assert(
    fc.property(anyGenome, (genome) => {
      const rebuilt = genes.reduce((partial, gene) => gene.write(partial, gene.read(genome)), baselineGenomes.retnet);
      expect(rebuilt).toEqual(genome);
    }),
  );
});

test('fir has every set of up to four of the six kernels, and no other', () => {
  expect(geneAt('fir').values).toHaveLength(1 + 6 + 15 + 20 + 15);
  expect(geneAt('fir').values).toContain('3 15 31 63');
});

test('the changes between two genomes lead from one to the other and back', () => {
  fc.assert(
    fc.property(anyGenome, anyGenome, (from, to) => {
      const changes = changesBetween(from, to);
      expect(undoChanges(to, changes)).toEqual(from);
      expect(changes.map((change) => change.gene)).toEqual(
        genes.filter((gene) => gene.read(from) !== gene.read(to)).map(({ path }) => path),
      );
    }),
  );
});

test('an unknown gene or value is refused with the ones that exist', () => {
  expect(() => geneAt('decay')).toThrow(/there is no gene "decay"; genes are decay\.kind/);
  expect(() => geneAt('readout').write(baselineGenomes.gla, 'loud')).toThrow(
    'readout cannot be "loud"; its values are plain, bonus, query-correction',
  );
});

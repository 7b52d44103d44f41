import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesBetween, geneGroups, genes, genesOf, recurrenceGroups } from '../../../services/evolver/genes.ts';
import { genomeKey } from '../../../services/evolver/genome-key.ts';
import { genomeViolations } from '../../../services/evolver/legality.ts';
import { crossGenomes, movesIn, mutateGroup, randomGenome } from '../../../services/evolver/mutation.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import { createRandom } from '../../../workflows/rules/random.ts';
import { legalGenome } from './arbitrary-genomes.ts';

const evenly = () => 1;
const seed = fc.nat();

test('a mutation changes a gene of its own group and leaves a legal genome', () => {
  fc.assert(
    fc.property(legalGenome, fc.constantFrom(...geneGroups), seed, (genome, group, start) => {
      const mutated = mutateGroup(genome, group, { random: createRandom(start), weight: evenly });
      if (mutated === null) return;
      expect(genomeViolations(mutated)).toEqual([]);
      const own = new Set(genesOf(group).map((gene) => gene.path));
      expect(changesBetween(genome, mutated).some((change) => own.has(change.gene))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('every legal genome has a move in nearly every group', () => {
  const stuck = Object.values(baselineGenomes).flatMap((genome) =>
    geneGroups.filter((group) => movesIn(genome, group).length === 0),
  );
  // A router without branches has moves too: it brings its branches along.
  expect(stuck).toEqual([]);
});

test('a value with a larger weight is drawn more often', () => {
  const random = createRandom(1);
  const drawn = Array.from({ length: 400 }, () =>
    mutateGroup(baselineGenomes.deltanet, 'decay', { random, weight: (_gene, value) => (value === 'vector-data' ? 8 : 1) }),
  );
  const share = drawn.filter((genome) => genome?.decay.kind === 'vector-data').length / drawn.length;
  expect(share).toBeGreaterThan(0.6);
  expect(share).toBeLessThan(0.85);
});

test('one mutation of the branches adds, removes or replaces one, or brings up to two where there were none', () => {
  const many = movesIn({ ...baselineGenomes['deltanet-fir-gate'], fir: [3, 15, 31] }, 'fir').map(({ value }) => value);
  expect(many).toContain('3 15');
  expect(many).toContain('3 15 31 63');
  expect(many).toContain('3 15 63');
  expect(many).not.toContain('3');
  expect(many).not.toContain('none');
  const first = movesIn(baselineGenomes.deltanet, 'fir').map(({ value }) => value);
  expect(first).toHaveLength(6 + 15);
});

test('a crossover is legal and has each gene of one parent or the other, but for repairs', () => {
  fc.assert(
    fc.property(legalGenome, legalGenome, seed, fc.boolean(), (mother, father, start, recurrence) => {
      const child = crossGenomes(mother, father, { random: createRandom(start), recurrence });
      if (child === null) return;
      expect(genomeViolations(child)).toEqual([]);
      const strange = genes.filter((gene) => ![gene.read(mother), gene.read(father)].includes(gene.read(child)));
      // A repair brings neutral values only.
      const neutral = [
        'none',
        'l2',
        'sigmoid',
        'free',
        'after-decay',
        '1',
        '2',
        '4',
        '32',
        'softplus',
        'silu',
        'elu-plus-one',
        'additive',
      ];
      // A tied key has no convolution of its own: where the tie came from the other parent, that one stream is taken out.
      const { q, v } = child.shortConv;
      const isUntied = [mother, father].some(({ shortConv }) => shortConv.k && shortConv.q === q && shortConv.v === v);
      const repaired = child.keyTie === 'one-minus-decay' && !child.shortConv.k && isUntied ? ['shortConv.streams'] : [];
      const unexplained = strange.filter((gene) => !neutral.includes(gene.read(child))).map(({ path }) => path);
      expect(unexplained.filter((path) => !repaired.includes(path))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('genomes that differ in nothing have no crossover, and those that differ in paths alone none of the recurrence', () => {
  const { deltanet } = baselineGenomes;
  const draw = { random: createRandom(1), recurrence: false };
  expect(crossGenomes(deltanet, deltanet, draw)).toBeNull();
  expect(crossGenomes(deltanet, baselineGenomes['deltanet-value-mix'], { ...draw, recurrence: true })).toBeNull();
  expect(crossGenomes(deltanet, baselineGenomes['deltanet-value-mix'], draw)).toEqual(baselineGenomes['deltanet-value-mix']);
});

test('random genomes are legal, differ from one another and reach every value of every gene', () => {
  const random = createRandom(7);
  const drawn = Array.from({ length: 3000 }, () => randomGenome(baselineGenomes.kda, random));
  expect(drawn.flatMap(genomeViolations)).toEqual([]);
  expect(new Set(drawn.map(genomeKey)).size).toBeGreaterThan(2990);
  const unseen = genes.flatMap((gene) =>
    gene.values.filter((value) => !drawn.some((genome) => gene.read(genome) === value)).map((value) => `${gene.path}=${value}`),
  );
  expect(unseen).toEqual([]);
});

test('random genomes are uniform: equally large sets of legal combinations come up equally often', () => {
  const random = createRandom(11);
  const drawn = Array.from({ length: 4000 }, () => randomGenome(baselineGenomes.deltanet, random));
  // 57 sets of branches: 1 has no router, 6 single ones have three routers, 50 have four.
  const share = (test: (genome: (typeof drawn)[number]) => boolean): number => drawn.filter(test).length / drawn.length;
  expect(share(({ fir }) => fir.length === 0)).toBeCloseTo(1 / 219, 2);
  expect(share(({ fir }) => fir.length === 1)).toBeCloseTo(18 / 219, 1);
  expect(share(({ router }) => router === 'two-stage')).toBeCloseTo(50 / 219, 1);
  expect(share(({ layers }) => layers.pattern === 'uniform')).toBeCloseTo(1 / 4, 1);
});

test('the recurrence is decay, write, key, features, norm and readout, not its size', () => {
  expect(recurrenceGroups).toEqual(['decay', 'write', 'key-tie', 'feature-map', 'qk-norm', 'readout']);
});

import fc from 'fast-check';
import { genes } from '../../../services/evolver/genes.ts';
import { repairGenome } from '../../../services/evolver/repair-genome.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import type { Genome } from '../../../workflows/contracts/genome.ts';

const values = fc.tuple(...genes.map((gene) => fc.constantFrom(...gene.values)));
const genomeOf = (words: readonly string[]): Genome =>
  genes.reduce((genome, gene, index) => gene.write(genome, words[index] ?? ''), baselineGenomes.deltanet);

/** Any value of any gene; most of these are illegal. */
export const anyGenome = values.map(genomeOf);
export const legalGenome = anyGenome.map((genome) => repairGenome(genome).genome);

/** A baseline with one to three genes at other values: the neighbourhood in which a single rule decides. */
export const nearLegalGenome = fc
  .tuple(
    fc.constantFrom(...Object.values(baselineGenomes)),
    fc.array(
      fc.constantFrom(...genes).chain((gene) => fc.constantFrom(...gene.values).map((value) => ({ gene, value }))),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  )
  .map(([baseline, moves]) => moves.reduce((genome, { gene, value }) => gene.write(genome, value), baseline));

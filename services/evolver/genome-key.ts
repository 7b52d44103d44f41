import type { Genome } from '../../workflows/contracts/genome.ts';
import { genes } from './genes.ts';
import { repairGenome } from './repair-genome.ts';

/**
 * One text per program: idle genes at their neutral values, genes in the order of the table. Two genomes with one key give one program,
 * whatever the order of their fields or branches.
 */
export const genomeKey = (genome: Genome): string => {
  const known = keys.get(genome);
  if (known !== undefined) return known;
  const { genome: canonical } = repairGenome(genome);
  const key = genes.map((gene) => `${gene.path}=${gene.read(canonical)}`).join(';');
  keys.set(genome, key);
  return key;
};

/** A draft and its novelty ask for the keys of the same records; genomes are never changed in place. */
const keys = new WeakMap<Genome, string>();

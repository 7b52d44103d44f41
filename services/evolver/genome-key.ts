import type { Genome } from '../../workflows/contracts/genome.ts';
import { genes } from './genes.ts';
import { repairGenome } from './repair-genome.ts';

/**
 * One text per program: idle genes at their neutral values, genes in the order of the table. Two genomes with one key give one program,
 * whatever the order of their fields or branches.
 */
export const genomeKey = (genome: Genome): string => {
  const { genome: canonical } = repairGenome(genome);
  return genes.map((gene) => `${gene.path}=${gene.read(canonical)}`).join(';');
};

/** Number of genes that differ, counted between canonical genomes; zero exactly for one program. */
export const genomeDistance = (a: Genome, b: Genome): number => {
  const [left, right] = [repairGenome(a).genome, repairGenome(b).genome];
  return genes.filter((gene) => gene.read(left) !== gene.read(right)).length;
};

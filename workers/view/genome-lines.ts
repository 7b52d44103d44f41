import type { Genome } from '../../workflows/contracts/genome.ts';
import { padTo } from './cells.ts';

/** A gene a line; parts of a gene are joined. Programs that people write have no genome. */
export const genomeLines = (genome: Genome | null): readonly string[] => {
  if (genome === null) return [];
  const genes = Object.entries(genome);
  const width = Math.max(...genes.map(([name]) => name.length));
  return genes.map(([name, value]) => `  ${padTo(name, width)}  ${valueText(value)}`);
};

const valueText = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([part, inner]) => `${part} ${valueText(inner)}`)
      .join(', ');
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
};

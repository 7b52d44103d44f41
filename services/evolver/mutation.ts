import type { Genome } from '../../workflows/contracts/genome.ts';
import type { Random } from '../../workflows/rules/random.ts';
import { type Gene, type GeneGroup, geneGroups, genesOf, recurrenceGroups } from './genes.ts';
import { isLegal } from './legality.ts';
import { repairGenome } from './repair-genome.ts';

/** How likely a value is to be drawn, relative to the others of its gene. Positive. */
export type ValueWeight = (gene: Gene, value: string) => number;

interface Move {
  readonly gene: Gene;
  readonly value: string;
  readonly genome: Genome;
}

/**
 * The genome with one gene of the group at another value that survives the repair, so that a mutation is never undone by legality. Null
 * where the rest of the genome leaves the group no second value.
 */
export const mutateGroup = (
  genome: Genome,
  group: GeneGroup,
  draw: { readonly random: Random; readonly weight: ValueWeight },
): Genome | null => {
  const moves = movesIn(genome, group);
  if (moves.length === 0) return null;
  // Each gene of the group has the same chance, however many values it has.
  const movesPerGene = new Map<Gene, number>();
  for (const { gene } of moves) movesPerGene.set(gene, (movesPerGene.get(gene) ?? 0) + 1);
  const weights = moves.map(({ gene, value }) => draw.weight(gene, value) / (movesPerGene.get(gene) ?? 1));
  return draw.random.weighted(moves, weights).genome;
};

/** Every single-gene step within a group that leads to a legal genome. */
export const movesIn = (genome: Genome, group: GeneGroup): readonly Move[] =>
  genesOf(group).flatMap((gene) =>
    gene.values
      .filter((value) => value !== gene.read(genome) && isNear(gene, gene.read(genome), value))
      .map((value) => ({ gene, value, genome: repairGenome(gene.write(genome, value), [group]).genome }))
      .filter((move) => gene.read(move.genome) === move.value),
  );

/** One branch more, one branch less or one for another; every other gene may move to any value. */
const isNear = (gene: Gene, from: string, to: string): boolean => {
  if (gene.path !== 'fir') return true;
  const [a, b] = [branchesOf(from), branchesOf(to)];
  const removed = a.filter((kernel) => !b.includes(kernel)).length;
  const added = b.filter((kernel) => !a.includes(kernel)).length;
  // From nothing, two branches at once are one step: that is how they are published.
  return a.length === 0 ? added <= 2 : removed <= 1 && added <= 1;
};
const branchesOf = (words: string): readonly string[] => (words === 'none' ? [] : words.split(' '));

/**
 * Some groups of `donor` in place of `genome`'s: at least one in which they differ, and not all of them unless it is the only one. With
 * `recurrence`, one of them belongs to the recurrence. Null where the two differ in nothing suitable.
 */
export const crossGenomes = (
  genome: Genome,
  donor: Genome,
  draw: { readonly random: Random; readonly recurrence: boolean },
): Genome | null => {
  const differing = geneGroups.filter((group) => genesOf(group).some((gene) => gene.read(genome) !== gene.read(donor)));
  const required = draw.recurrence ? differing.filter((group) => recurrenceGroups.includes(group)) : differing;
  if (required.length === 0) return null;
  const first = draw.random.pick(required);
  const others = draw.random.shuffle(differing.filter((group) => group !== first));
  const numMore = others.length < 2 ? 0 : draw.random.int(others.length);
  const taken = new Set([first, ...others.slice(0, numMore)]);
  // Branches without their router, or a router of other branches, are not the donor's design.
  if (taken.has('fir') || taken.has('router')) for (const group of ['fir', 'router'] as const) taken.add(group);
  const crossed = [...taken].flatMap(genesOf).reduce((mixed, gene) => gene.write(mixed, gene.read(donor)), genome);
  return repairGenome(crossed, [...taken]).genome;
};

const mostDraws = 100_000;

/**
 * A legal genome, every one as likely as every other: independent parts are drawn apart, and each part again until it is legal.
 */
export const randomGenome = (start: Genome, random: Random): Genome =>
  parts.reduce((genome, part) => drawPart(genome, { part, random }), start);

/** Groups that no rule of legality ties to a group of another part. */
const parts: readonly (readonly GeneGroup[])[] = [
  ['decay', 'write', 'key-tie', 'feature-map', 'qk-norm', 'short-conv'],
  ['fir', 'router'],
  ['layers'],
  ['scale', 'position', 'readout', 'output', 'value-mix', 'heads', 'state-size'],
];

const drawPart = (genome: Genome, { part, random }: { readonly part: readonly GeneGroup[]; readonly random: Random }): Genome => {
  const drawn = part.flatMap(genesOf);
  for (let draw = 0; draw < mostDraws; draw++) {
    const candidate = drawn.reduce((partial, gene) => gene.write(partial, random.pick(gene.values)), genome);
    if (isLegal(candidate)) return candidate;
  }
  throw new Error(`no legal combination of ${part.join(', ')} in ${mostDraws} draws from ${JSON.stringify(genome)}`);
};

import { baselineGenomes } from '../../workflows/contracts/baselines.ts';
import type { Change } from '../../workflows/contracts/experiment.ts';
import type { Genome } from '../../workflows/contracts/genome.ts';
import { operatorCredit } from '../../workflows/rules/operator-credit.ts';
import { createRandom, type Random } from '../../workflows/rules/random.ts';
import type { Draft, Refusal, Relative, ResearchContext, Researcher } from '../researcher/researcher.ts';
import { groupOf, operators, valueWeights, weighOperators } from './draw-weights.ts';
import { type Evidence, readEvidence } from './evidence.ts';
import { changesBetween } from './genes.ts';
import { genomeKey } from './genome-key.ts';
import { type HintWeights, readHints } from './hints.ts';
import { controlMotivation, expectEffect, type Stem, writeMotivation } from './motivation.ts';
import { crossGenomes, mutateGroup, randomGenome, type ValueWeight } from './mutation.ts';
import { nameGenome } from './names.ts';

/** Draws before giving up; every quarter of them changes one group of genes more. */
const defaultMaxDraws = 80;

/**
 * Evolution over the genome: mutates and crosses what the pool offers, steered by measured gains, failures, hints and a weak prior of the
 * literature. The same seed, number and history give the same draft. Never a genome that the campaign already has, nor one of a known baseline.
 */
export class Evolver implements Researcher {
  readonly #maxDraws: number;

  constructor(options: { readonly maxDraws?: number } = {}) {
    this.#maxDraws = options.maxDraws ?? defaultMaxDraws;
  }

  propose(context: ResearchContext, signal: AbortSignal): Promise<Draft | Refusal> {
    signal.throwIfAborted();
    return Promise.resolve(proposeDraft(context, this.#maxDraws));
  }
}

/** `propose` without a promise. */
export const proposeDraft = (context: ResearchContext, maxDraws = defaultMaxDraws): Draft | Refusal => {
  const random = createRandom(`${context.seed}/${context.number}/${context.refused.length}`);
  const taken = takenBy(context);
  if (context.arm === 'control') return proposeControl(context, { random, taken, maxDraws });
  const stem = stemOf(context);
  const hints = readHints(context.hints);
  const evidence = readEvidence(context.history);
  const search: Search = {
    stem,
    donors: donorsOf(context, stem.genome),
    random,
    hints,
    credit: operatorCredit({ operators, outcomes: evidence.outcomes }),
    weight: valueWeights(evidence, hints),
    recurrence: mustChangeRecurrence(context),
  };
  for (let draw = 0; draw < maxDraws; draw++) {
    const child = drawChild(search, 1 + Math.floor((4 * draw) / maxDraws));
    if (child === null || taken.keys.has(genomeKey(child.genome))) continue;
    const changes = changesBetween(stem.genome, child.genome);
    if (changes.length === 0 || (search.recurrence && !changes.some((change) => change.recurrence))) continue;
    return draftOf({ ...child, changes }, { context, search, evidence, taken });
  }
  return exhausted(maxDraws);
};

/**
 * Whether this proposal has to change the recurrence itself: every second number, and whenever fewer than half of the policy's proposals so
 * far did. The first holds among experiments that run at the same time and cannot see each other, the second whatever was lost on the way.
 */
const mustChangeRecurrence = ({ number, history }: ResearchContext): boolean => {
  const earlier = history.filter((relative) => relative.kind === 'candidate' && relative.arm === 'policy');
  const changed = earlier.filter((relative) => relative.changes.some((change) => change.recurrence));
  return number % 2 === 0 || 2 * changed.length < earlier.length + 1;
};

interface Taken {
  readonly keys: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

const knownKeys: ReadonlySet<string> = new Set(Object.values(baselineGenomes).map(genomeKey));

/** What the campaign has, what was refused for this experiment, and every known baseline: none of them would be a discovery. */
export const takenBy = ({ history, refused }: Pick<ResearchContext, 'history' | 'refused'>): Taken => {
  const holders = [...history, ...refused.map(({ draft }) => draft)];
  return {
    keys: new Set([...knownKeys, ...holders.flatMap(({ genome }) => (genome === null ? [] : [genomeKey(genome)]))]),
    names: new Set(holders.map(({ name }) => name)),
  };
};

type GenomeStem = Stem & { readonly genome: Genome };

interface Search {
  readonly stem: GenomeStem;
  readonly donors: readonly (Relative & { readonly genome: Genome })[];
  readonly random: Random;
  readonly hints: HintWeights;
  readonly credit: ReadonlyMap<string, number>;
  readonly weight: ValueWeight;
  readonly recurrence: boolean;
}

const hasGenome = (relative: Relative): relative is Relative & { readonly genome: Genome } => relative.genome !== null;
const byFitness = (a: Relative, b: Relative): number =>
  (b.fitness ?? Number.NEGATIVE_INFINITY) - (a.fitness ?? Number.NEGATIVE_INFINITY) || a.number - b.number;

/** The parent's genome; where it has none, that of a reference, of the best experiment that has one, or plain DeltaNet. */
const stemOf = ({ parent, references, history }: ResearchContext): GenomeStem => {
  const untyped = parent !== null && parent.genome === null ? parent.name : null;
  const relative = [...(parent === null ? [] : [parent]), ...references, ...history.toSorted(byFitness)].find(hasGenome);
  if (relative === undefined) return { name: 'deltanet', relative: null, untyped, genome: baselineGenomes.deltanet };
  return { name: relative.name, relative, untyped, genome: relative.genome };
};

const donorsOf = ({ references }: ResearchContext, stem: Genome): Search['donors'] => {
  const key = genomeKey(stem);
  return references.filter(hasGenome).filter((reference) => genomeKey(reference.genome) !== key);
};

interface Child {
  readonly genome: Genome;
  readonly operator: string;
  readonly donor: string | null;
}

/** One operator applied to the stem, then a mutation of `strength - 1` groups more (and sometimes one beyond). Null where it does not apply. */
const drawChild = (search: Search, strength: number): Child | null => {
  const { random, stem, donors } = search;
  const choice = weighOperators({ ...search, crossover: donors.length > 0 });
  const operator = random.weighted(choice.operators, choice.weights);
  const group = groupOf(operator);
  const donor = group === null ? random.pick(donors) : null;
  const first =
    group === null
      ? donor && crossGenomes(stem.genome, donor.genome, { random, recurrence: search.recurrence })
      : mutateGroup(stem.genome, group, search);
  if (first === null) return null;
  const numMore = strength - 1 + (random.next() < 0.25 ? 1 : 0);
  const genome = Array.from({ length: numMore }).reduce<Genome>((mutated) => mutateAnywhere(mutated, search), first);
  return { genome, operator, donor: donor?.name ?? null };
};

/** One further group, by weight; the genome itself where the group has no other value. */
const mutateAnywhere = (genome: Genome, search: Search): Genome => {
  const choice = weighOperators({ ...search, recurrence: false, crossover: false });
  const group = groupOf(search.random.weighted(choice.operators, choice.weights));
  return (group && mutateGroup(genome, group, search)) ?? genome;
};

const draftOf = (
  child: Child & { readonly changes: readonly Change[] },
  given: {
    readonly context: ResearchContext;
    readonly search: Search;
    readonly evidence: Evidence;
    readonly taken: Taken;
  },
): Draft => {
  const { context, search, evidence, taken } = given;
  const { genome, changes, donor, operator } = child;
  return {
    name: nameGenome(genome, { changes, taken: taken.names }),
    motivation: writeMotivation({
      stem: search.stem,
      changes,
      donor,
      history: context.history,
      evidence,
      hints: search.hints,
    }),
    expectedEffect: expectEffect(changes),
    changes: [...changes],
    author: 'evolver',
    operator,
    genome,
  };
};

/** A random legal design. Its changes are told against the parent, if it was given one, but play no part in the draw. */
const proposeControl = (
  { parent }: ResearchContext,
  { random, taken, maxDraws }: { readonly random: Random; readonly taken: Taken; readonly maxDraws: number },
): Draft | Refusal => {
  for (let draw = 0; draw < maxDraws; draw++) {
    const genome = randomGenome(baselineGenomes.deltanet, random);
    if (taken.keys.has(genomeKey(genome))) continue;
    const changes = parent === null || parent.genome === null ? [] : changesBetween(parent.genome, genome);
    return {
      name: nameGenome(genome, { changes, taken: taken.names }),
      motivation: controlMotivation(),
      expectedEffect: expectEffect([]),
      changes,
      author: 'evolver',
      operator: 'random',
      genome,
    };
  }
  return exhausted(maxDraws);
};

const exhausted = (numDraws: number): Refusal => ({
  refused: {
    label: 'duplicate',
    detail: `none of ${numDraws} drawn designs was new: the campaign already has them all; start from another architecture or allow more changes with a hint`,
  },
});

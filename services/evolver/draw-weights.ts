import { noteOn } from './component-knowledge.ts';
import type { Evidence } from './evidence.ts';
import { type GeneGroup, geneGroups, recurrenceGroups } from './genes.ts';
import type { HintWeights } from './hints.ts';
import type { ValueWeight } from './mutation.ts';

/** `mutate:<group>` or `crossover`: what credit is given to. */
export type Operator = `mutate:${GeneGroup}` | 'crossover';

/**
 * How often each operator is drawn before anything is measured. A weak prior: groups with more published effect a little more often, and
 * those that a norm or a gate mostly absorbs less. Crossover counts for two groups because it moves several genes at once.
 */
const operatorPriors: Readonly<Record<GeneGroup | 'crossover', number>> = {
  decay: 1.2,
  write: 1.3,
  'key-tie': 0.5,
  'feature-map': 0.8,
  'qk-norm': 0.6,
  scale: 0.3,
  position: 0.5,
  'short-conv': 0.7,
  readout: 0.9,
  output: 1,
  'value-mix': 1,
  fir: 1.3,
  router: 0.7,
  heads: 0.7,
  'state-size': 0.7,
  layers: 0.5,
  crossover: 2,
};

export const operators: readonly Operator[] = [...geneGroups.map((group) => `mutate:${group}` as const), 'crossover'];
export const groupOf = (operator: Operator): GeneGroup | null =>
  operator === 'crossover' ? null : (geneGroups.find((group) => operator === `mutate:${group}`) ?? null);

/** Operators with their weights: prior, times what they gained so far, times the hints. Positive. */
export const weighOperators = (given: {
  readonly credit: ReadonlyMap<string, number>;
  readonly hints: HintWeights;
  readonly recurrence: boolean;
  readonly crossover: boolean;
}): { readonly operators: readonly Operator[]; readonly weights: readonly number[] } => {
  const open = operators.filter((operator) => {
    const group = groupOf(operator);
    if (group === null) return given.crossover;
    return !given.recurrence || recurrenceGroups.includes(group);
  });
  const weights = open.map((operator) => {
    const group = groupOf(operator);
    const prior = operatorPriors[group ?? 'crossover'];
    return prior * (given.credit.get(operator) ?? 1) * (group === null ? 1 : given.hints.group(group));
  });
  return { operators: open, weights };
};

/** Prior of the literature, times what the campaign measured, times the hints. */
export const valueWeights =
  (evidence: Evidence, hints: HintWeights): ValueWeight =>
  (gene, value) =>
    noteOn(gene.path, value).prior * evidence.valueWeight(gene, value) * hints.value(gene, value);

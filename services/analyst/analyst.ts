import type { Analysis, Comparison } from '../../workflows/contracts/analysis.ts';
import { changeWords } from '../../workflows/contracts/change-words.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { analyseFailure } from './analyse-failure.ts';
import { compareWith, type Measurements, nameOf } from './compare.ts';
import { comparisonWords, effectOn, standingOf } from './effect-words.ts';
import { stateProblem } from './problem.ts';
import { sideEffects } from './side-effects.ts';

export interface AnalysisInput extends Measurements {
  readonly experiment: Experiment;
  readonly relatives: {
    /** The campaign's first baseline. */
    readonly reference: Experiment | null;
    readonly parent: Experiment | null;
    readonly grandparent: Experiment | null;
    /** Other children of the parent. */
    readonly siblings: readonly Experiment[];
    readonly baselines: readonly Experiment[];
  };
}

const mostCharacters = 4000;
const mostLessonCharacters = 500;

/**
 * What the measured rows say about one experiment: nothing beyond its intervals. An experiment that failed gets the lesson of its label. Pure:
 * the same input gives the same text.
 */
export const analyse = (input: AnalysisInput): Analysis => {
  const { experiment } = input;
  if (experiment.failure !== null) return analyseFailure(experiment, experiment.failure);
  const comparisons = compareAll(input);
  const origin = comparisons.find(({ against }) => against === 'parent') ?? null;
  return {
    author: 'rules',
    summary: summaryOf(input, comparisons).slice(0, mostCharacters),
    comparisons: [...comparisons],
    lessons: lessonsOf(experiment, origin),
    problem: stateProblem(experiment, comparisons),
  };
};

/** Reference, parent, grandparent, best sibling and best baseline, as far as they exist. One experiment may stand in several roles. */
const compareAll = (input: AnalysisInput): readonly Comparison[] => {
  const { experiment, relatives } = input;
  const roles: readonly (readonly [Comparison['against'], Experiment | null])[] = [
    ['reference', relatives.reference],
    ['parent', relatives.parent],
    ['grandparent', relatives.grandparent],
    ['sibling', best(relatives.siblings, experiment)],
    ['best-baseline', best(relatives.baselines, experiment)],
  ];
  return roles.flatMap(([against, other]) =>
    other === null || other.id === experiment.id ? [] : [compareWith(experiment, { against, experiment: other }, input)],
  );
};

/** Highest fitness, the earlier one where they tie; experiments without a fitness do not count. */
const best = (candidates: readonly Experiment[], self: Experiment): Experiment | null =>
  candidates
    .filter((candidate) => candidate.id !== self.id && candidate.fitness !== null)
    .toSorted((a, b) => (b.fitness?.value ?? 0) - (a.fitness?.value ?? 0) || a.number - b.number)[0] ?? null;

const summaryOf = ({ experiment, relatives }: AnalysisInput, comparisons: readonly Comparison[]): string => {
  const name = nameOf(experiment);
  const main =
    comparisons.find(({ against }) => against === 'parent') ?? comparisons.find(({ against }) => against === 'reference') ?? null;
  const method = main?.effects[0]?.method;
  const sentences = [
    whatChanged(experiment, relatives.parent),
    ...rolesTold(comparisons).map(
      ({ comparison, roles }) => `Against ${roles.join(' and ')}: ${name} ${comparisonWords(comparison)}.`,
    ),
    ...sideEffects({ experiment, comparison: main, other: relatives.parent ?? relatives.reference }),
    method === undefined ? 'Nothing was measured that it could be compared with.' : `Intervals: ${method}.`,
  ];
  return sentences.join(' ');
};

const whatChanged = (experiment: Experiment, parent: Experiment | null): string => {
  const changes = experiment.proposal?.changes ?? [];
  const name = nameOf(experiment);
  if (changes.length === 0)
    return parent === null ? `${name} has no parent.` : `${name} comes from ${nameOf(parent)}; what it changed is not typed.`;
  return `${name} changed ${changes.map(changeWords).join('; ')}${parent === null ? '' : ` in ${nameOf(parent)}`}.`;
};

const roleWords: Readonly<Record<Comparison['against'], string>> = {
  reference: 'the reference',
  parent: 'its parent',
  grandparent: 'its grandparent',
  sibling: 'its best sibling',
  'best-baseline': 'the best baseline',
};

/** Each other experiment once, with all the roles it stands in; the parent first, since that is what the change is about. */
const rolesTold = (
  comparisons: readonly Comparison[],
): readonly { readonly comparison: Comparison; readonly roles: readonly string[] }[] => {
  const parentFirst = comparisons.toSorted((a, b) => Number(b.against === 'parent') - Number(a.against === 'parent'));
  return [...Map.groupBy(parentFirst, ({ experimentId }) => experimentId).values()].flatMap((group) => {
    const [comparison] = group;
    return comparison === undefined ? [] : [{ comparison, roles: group.map(({ against }) => roleWords[against]) }];
  });
};

/**
 * One lesson a change. A gain is told only for a change that was made alone and whose interval over the parent lies on one side of zero;
 * of changes made together nobody can say which did it.
 */
const lessonsOf = (experiment: Experiment, origin: Comparison | null): Analysis['lessons'] => {
  const changes = experiment.proposal?.changes ?? [];
  if (origin === null) return [];
  const words = comparisonWords(origin);
  const loss = effectOn(origin, 'bits-per-byte');
  const told = loss !== null && standingOf(loss) !== 'untold' && changes.length === 1;
  return changes.map((change) => ({
    change: changeWords(change),
    lesson: (changes.length === 1
      ? `Alone it ${words}.`
      : `One of ${changes.length} changes made together, which ${words}.`
    ).slice(0, mostLessonCharacters),
    gain: told ? loss.mean : null,
  }));
};

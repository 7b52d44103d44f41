import { changeWords } from '../../workflows/contracts/change-words.ts';
import type { Change } from '../../workflows/contracts/experiment.ts';
import type { Metric } from '../../workflows/contracts/score.ts';
import type { Draft, Relative } from '../researcher/researcher.ts';
import { type Direction, noteOn } from './component-knowledge.ts';
import type { Evidence } from './evidence.ts';
import type { HintWeights } from './hints.ts';

/** What a candidate grew out of. */
export interface Stem {
  /** Name of the experiment or baseline whose genome was changed. */
  readonly name: string;
  /** Its record in this campaign; null for a baseline that the campaign did not run. */
  readonly relative: Relative | null;
  /** The parent's name where the parent has a program but no genome to change. */
  readonly untyped: string | null;
}

export interface MotivationFacts {
  readonly stem: Stem;
  readonly changes: readonly Change[];
  readonly donor: string | null;
  readonly history: readonly Relative[];
  readonly evidence: Evidence;
  readonly hints: HintWeights;
}

const mostCharacters = 4000;
const mostEffectCharacters = 1000;
/** More changes than these are listed without their reasons; a crossover can have a dozen. */
const mostReasons = 6;
const mostMoves = 4;

/** What was changed, why each component may help and by whom, and what this campaign measured; every number is the history's. */
export const writeMotivation = (facts: MotivationFacts): string => {
  const { changes } = facts;
  const reasons = changes.slice(0, mostReasons).map(reasonFor);
  const unexplained = changes.length > mostReasons ? [`A further ${changes.length - mostReasons} changes come along.`] : [];
  return [
    originOf(facts),
    `Changes: ${changes.map(changeWords).join('; ')}.`,
    ...reasons,
    ...unexplained,
    `Measured so far: ${measuredWords(facts)}`,
    ...hintWords(facts.hints),
  ]
    .join(' ')
    .slice(0, mostCharacters);
};

/** The motivation of a draft whose program was refused, for the changes that are left: what gave way and why, and the reasons of the rest. */
export const rewriteMotivation = (
  draft: Pick<Draft, 'motivation' | 'changes'>,
  repaired: { readonly changes: readonly Change[]; readonly because: string },
): string => {
  const { changes, because } = repaired;
  if (changes.length === 0) return `${draft.motivation.slice(0, mostCharacters - because.length - 1)} ${because}`;
  const origin = /^Starts from .*?\.(?= Changes: )/.exec(draft.motivation)?.[0] ?? '';
  const measured = /Measured so far: .*$/s.exec(draft.motivation)?.[0] ?? '';
  return [
    origin,
    `Changes: ${changes.map(changeWords).join('; ')}.`,
    ...changes.slice(0, mostReasons).map(reasonFor),
    `First drafted with ${draft.changes.map(changeWords).join('; ')}. ${because}`,
    measured,
  ]
    .filter((part) => part !== '')
    .join(' ')
    .slice(0, mostCharacters);
};

/** The control arm ignores all that is known, and says so. */
export const controlMotivation = (): string =>
  'Control arm: a legal design drawn at random, every one as likely as every other, blind to the literature and to everything measured in this campaign. It shows what chance alone finds.';

const originOf = ({ stem, donor }: MotivationFacts): string => {
  const untyped = stem.untyped === null ? '' : ` because its parent ${stem.untyped} has a program but no typed description`;
  const mixed = donor === null ? '' : ` and takes over parts of ${donor}`;
  return `Starts from ${stem.name}${untyped}${mixed}.`;
};

const reasonFor = (change: Change): string => {
  const note = noteOn(change.gene, change.to);
  return `${change.gene} ${change.to}: ${note.says} (${note.source}.)`;
};

const measuredWords = ({ stem, changes, history, evidence }: MotivationFacts): string => {
  const lineage = lineageOf(stem.relative, history).map(standingOf);
  const moves = changes.flatMap((change) => moveWords(change, evidence)).slice(0, mostMoves);
  const sentences = [...lineage.slice(0, 2), ...moves];
  return sentences.length === 0 ? 'nothing yet in this line.' : sentences.join(' ');
};

/** The stem and its parent: enough to see which way the line goes. */
const lineageOf = (stem: Relative | null, history: readonly Relative[]): readonly Relative[] => {
  const parent = stem === null ? undefined : history.find((relative) => relative.id === stem.parentId);
  return [stem, parent ?? null].filter((relative) => relative !== null);
};

const units: Readonly<Record<Metric, string>> = {
  'bits-per-byte': 'bits per byte',
  'recall-auc': 'nats of recall loss',
  'recall-accuracy': 'recall accuracy',
  'copy-loss': 'nats of copy loss',
};

const standingOf = (relative: Relative): string => {
  if (relative.failure !== null) return `${relative.name} ended with ${relative.failure.label}.`;
  if (relative.gains.length === 0) return `${relative.name} has no scores yet.`;
  // The reference itself, and what is its like to the last digit: an interval around that would say nothing.
  if (relative.gains.every(({ mean }) => mean === 0)) return `${relative.name} scores what the reference does.`;
  const gains = relative.gains.map(
    (gain) =>
      `${signed(gain.mean)} [${signed(gain.low)}, ${signed(gain.high)}] ${units[gain.metric]} on ${gain.seeds} seed${gain.seeds === 1 ? '' : 's'}`,
  );
  return `${relative.name} against the reference (positive is better): ${gains.join('; ')}.`;
};

const moveWords = (change: Change, evidence: Evidence): readonly string[] => {
  const { gains, failures } = evidence.movesTo(change.gene, change.to);
  const total = gains.length + failures.length;
  if (total === 0) return [];
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / Math.max(1, gains.length);
  const gained =
    gains.length === 0
      ? ''
      : ` ${gains.filter((gain) => gain > 0).length} of ${gains.length} measured gained (of its gain a move is credited ${signed(mean)} fitness on average, since others came with it or nobody can tell);`;
  const failed = failures.length === 0 ? ' none failed.' : ` ${failures.length} failed (${[...new Set(failures)].join(', ')}).`;
  return [`${total} earlier move${total === 1 ? '' : 's'} to ${change.gene} ${change.to}:${gained}${failed}`];
};

const hintWords = ({ followed, unknown }: HintWeights): readonly string[] => [
  ...(followed.length > 0 ? [`Drawn with the hints in mind: ${followed.map((hint) => `"${hint}"`).join(', ')}.`] : []),
  ...(unknown.length > 0 ? [`No known component in: ${unknown.map((hint) => `"${hint}"`).join(', ')}.`] : []),
];

/** Direction on loss, recall and speed that the component notes suggest; modest, and no number. */
export const expectEffect = (changes: readonly Change[]): string => {
  if (changes.length === 0) return 'Nothing is expected: the design was drawn at random.';
  const loss = balance(changes, 'loss');
  const recall = balance(changes, 'recall');
  const pace = changes.reduce((sum, { gene, from, to }) => sum + speedOf(gene, to) - speedOf(gene, from), 0);
  const speed =
    pace > 0 ? 'Training is probably faster.' : pace < 0 ? 'Training is probably slower.' : 'Speed should hardly change.';
  return `${outlook('Loss', loss)} ${outlook('Recall', recall)} ${speed} These are expectations from published results, not measurements.`.slice(
    0,
    mostEffectCharacters,
  );
};

interface Balance {
  readonly sum: number;
  readonly unclear: boolean;
}

const worth: Readonly<Record<Direction, number>> = { better: 1, same: 0, unclear: 0, worse: -1 };
const balance = (changes: readonly Change[], aspect: 'loss' | 'recall'): Balance => ({
  sum: changes.reduce((sum, { gene, from, to }) => sum + worth[noteOn(gene, to)[aspect]] - worth[noteOn(gene, from)[aspect]], 0),
  unclear: changes.some(({ gene, to }) => noteOn(gene, to)[aspect] === 'unclear'),
});

const outlook = (what: string, { sum, unclear }: Balance): string => {
  if (sum > 0) return `${what} may improve.`;
  if (sum < 0) return `${what} may suffer.`;
  return unclear ? `${what}: the literature does not say.` : `${what} should hardly change.`;
};

const speedOf = (gene: string, value: string): number => ({ faster: 1, same: 0, slower: -1 })[noteOn(gene, value).speed];

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;

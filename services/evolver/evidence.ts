import { changeWords } from '../../workflows/contracts/change-words.ts';
import type { Change } from '../../workflows/contracts/experiment.ts';
import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import type { OperatorOutcome } from '../../workflows/rules/operator-credit.ts';
import type { Relative } from '../researcher/researcher.ts';
import { type Gene, genes } from './genes.ts';

/** A design that came to nothing by its own fault: a failed experiment, or one that a check refused before it was repaired. */
interface FailedDesign extends Pick<Relative, 'genome' | 'changes'> {
  readonly label: FailureLabel;
}

/** What finished experiments say about operators and gene values. Numbers come from the history and from nowhere else. */
export interface Evidence {
  /** What became of every finished candidate, oldest first: its gain over its parent, null for one that failed by its own fault. */
  readonly outcomes: readonly OperatorOutcome[];
  /** 1 without evidence; above where moves to this value gained, below where they lost or where programs with it failed. */
  valueWeight(gene: Gene, value: string): number;
  /** Moves to this value by earlier experiments. */
  movesTo(gene: string, value: string): { readonly gains: readonly number[]; readonly failures: readonly FailureLabel[] };
}

/** Ends that say nothing about the candidate itself. */
const blameless: ReadonlySet<FailureLabel> = new Set([
  'infra',
  'cancelled',
  'budget',
  'sandbox_unavailable',
  'poison',
  'duplicate',
]);
/** A value that a failed program merely had is a quarter as suspect as one that it was given. */
const bystanderBlame = 0.25;
/** Programs' worth of belief that a value fails as often as any other. */
const failurePrior = 2;
const leastFailureWeight = 0.1;
const untoldShare = 0.5;
/** Measured gains keep a weight between exp(-1.5) and exp(1.5), so that no value is ever given up for good. */
const largestExponent = 1.5;

export const readEvidence = (history: readonly Relative[]): Evidence => {
  const byId = new Map(history.map((relative) => [relative.id, relative]));
  const ordered = history.toSorted((a, b) => a.number - b.number);
  const measured = ordered.flatMap((relative) => {
    const gain = gainOverParent(relative, byId);
    return gain === null ? [] : [{ relative, gain }];
  });
  const moves = collectMoves(history, measured);
  const scale = typicalSize(measured.map(({ gain }) => gain));
  const failureWeight = failureWeights(history);
  return {
    outcomes: ordered.flatMap((relative): readonly OperatorOutcome[] => {
      if (hasFailed(relative)) return [{ operator: relative.operator, gain: null }];
      const gain = gainOverParent(relative, byId);
      return gain === null ? [] : [{ operator: relative.operator, gain }];
    }),
    valueWeight(gene, value) {
      const gains = moves.get(`${gene.path}=${value}`)?.gains ?? [];
      // The sum over one more than the count: a mean that shrinks to nothing when there is little behind it.
      const shrunk = gains.reduce((sum, gain) => sum + gain, 0) / (gains.length + 1) / scale;
      return Math.exp(Math.max(-largestExponent, Math.min(largestExponent, shrunk))) * failureWeight(gene, value);
    },
    movesTo: (gene, value) => moves.get(`${gene}=${value}`) ?? { gains: [], failures: [] },
  };
};

const hasFailed = (relative: Relative): relative is Relative & { readonly failure: NonNullable<Relative['failure']> } =>
  relative.failure !== null && !blameless.has(relative.failure.label);

const failedDesigns = (history: readonly Relative[]): readonly FailedDesign[] =>
  history.flatMap((relative) => [
    ...(hasFailed(relative) ? [{ genome: relative.genome, changes: relative.changes, label: relative.failure.label }] : []),
    ...relative.refused.filter(({ label }) => !blameless.has(label)),
  ]);

const gainOverParent = (relative: Relative, byId: ReadonlyMap<string, Relative>): number | null => {
  const parent = relative.parentId === null ? undefined : byId.get(relative.parentId);
  if (relative.kind !== 'candidate' || relative.fitness === null || parent === undefined || parent.fitness === null) return null;
  return relative.fitness - parent.fitness;
};

interface Moves {
  readonly gains: number[];
  readonly failures: FailureLabel[];
}

const collectMoves = (
  history: readonly Relative[],
  measured: readonly { readonly relative: Relative; readonly gain: number }[],
): ReadonlyMap<string, Moves> => {
  const moves = new Map<string, Moves>();
  const movesOf = (change: Change): Moves => {
    const key = `${change.gene}=${change.to}`;
    const known = moves.get(key) ?? { gains: [], failures: [] };
    moves.set(key, known);
    return known;
  };
  for (const { relative, gain } of measured) {
    for (const change of relative.changes) movesOf(change).gains.push(gainOfChange(relative, change, gain));
  }
  for (const { changes, label } of failedDesigns(history)) {
    for (const change of changes) movesOf(change).failures.push(label);
  }
  return moves;
};

/** An equal share of the whole, in the unit of fitness; half of it counts where the analyst could not tell the change from nothing. */
const gainOfChange = (relative: Relative, change: Change, gain: number): number => {
  const lesson = relative.lessons.find((candidate) => candidate.change === changeWords(change));
  const told = lesson !== undefined && lesson.gain !== null;
  return ((told ? 1 : untoldShare) * gain) / relative.changes.length;
};

/** Root mean square, so that weights do not depend on the unit of the fitness rule. */
const typicalSize = (gains: readonly number[]): number => {
  const meanSquare = gains.reduce((sum, gain) => sum + gain * gain, 0) / Math.max(1, gains.length);
  return meanSquare > 0 ? Math.sqrt(meanSquare) : 1;
};

/** How much likelier than average a program with the value comes through, at most 1: a value is never preferred for not failing. */
const failureWeights = (history: readonly Relative[]): ((gene: Gene, value: string) => number) => {
  const tried = new Map<string, { blame: number; programs: number }>();
  let blame = 0;
  let programs = 0;
  const count = ({ genome, changes }: Pick<Relative, 'genome' | 'changes'>, failed: boolean): void => {
    if (genome === null) return;
    const changed = new Set(changes.map((change) => change.gene));
    programs += 1;
    blame += failed ? 1 : 0;
    for (const gene of genes) {
      const share = failed && !changed.has(gene.path) ? bystanderBlame : 1;
      const key = `${gene.path}=${gene.read(genome)}`;
      const known = tried.get(key) ?? { blame: 0, programs: 0 };
      tried.set(key, { blame: known.blame + (failed ? share : 0), programs: known.programs + share });
    }
  };
  for (const relative of history) if (relative.fitness !== null && relative.failure === null) count(relative, false);
  for (const design of failedDesigns(history)) count(design, true);
  const average = programs === 0 ? 0 : blame / (programs + 1);
  return (gene, value) => {
    const known = tried.get(`${gene.path}=${value}`);
    if (known === undefined) return 1;
    const rate = (known.blame + failurePrior * average) / (known.programs + failurePrior);
    return Math.max(leastFailureWeight, Math.min(1, (1 - rate) / (1 - average)));
  };
};

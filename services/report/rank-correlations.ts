import { type RankCorrelation, rankCorrelation } from '../../workflows/rules/rank-correlation.ts';
import type { Entry, ReportData } from './report-data.ts';

/** How well one cheap look at the experiments ranks them as a dearer one does. */
export interface RankRow {
  readonly what: string;
  /** Null where fewer than three experiments have both. */
  readonly correlation: RankCorrelation | null;
  readonly numBoth: number;
}

/**
 * Inside the campaign, so on one rung: exploring against fresh seeds, early training loss against the held-out end, and recall against bits per
 * byte. Between rungs, see `rung-ranks.ts`.
 */
export const rankRows = ({ entries }: ReportData): readonly RankRow[] => [
  rowOf('Exploring seeds against fresh seeds, bits per byte', entries, ({ scores, confirmedScores }) => [
    scores['bits-per-byte'],
    confirmedScores['bits-per-byte'],
  ]),
  rowOf('Training loss in the first half against held-out bits per byte at the end', entries, (entry) => [
    firstHalfLoss(entry),
    entry.scores['bits-per-byte'],
  ]),
  rowOf('Recall loss against bits per byte', entries, ({ scores }) => [scores['recall-auc'], scores['bits-per-byte']]),
];

const rowOf = (
  what: string,
  entries: readonly Entry[],
  both: (entry: Entry) => readonly [number | undefined, number | undefined],
): RankRow => {
  const pairs = entries.flatMap((entry) => {
    const [a, b] = both(entry);
    return a === undefined || b === undefined ? [] : [[a, b] as const];
  });
  return { what, correlation: rankCorrelation(pairs), numBoth: pairs.length };
};

/** Mean over the exploring trials of the last byte loss reported in the first half of the steps. */
const firstHalfLoss = ({ trials }: Entry): number | undefined => {
  const losses = trials
    .filter(({ purpose }) => purpose === 'explore')
    .flatMap(({ curve }) => {
      const points = curve.filter(({ task, loss }) => task === 'bytes' && loss !== null);
      const last = points.at(-1)?.step ?? 0;
      const half = points.findLast(({ step }) => step <= last / 2)?.loss;
      return half == null ? [] : [half];
    });
  return losses.length === 0 ? undefined : losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
};

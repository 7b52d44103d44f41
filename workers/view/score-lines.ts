import { rateOf } from '../../workflows/contracts/naming.ts';
import type { OtherRate } from '../../workflows/contracts/rung.ts';
import type { Metric, Score, ScoreSet } from '../../workflows/contracts/score.ts';
import { nameAtRate } from '../../workflows/rules/rate-name.ts';
import { wrap } from './cells.ts';
import { countText, metricNames, scoreText } from './figures.ts';
import type { Look } from './look.ts';
import { type Column, table } from './table.ts';

interface Line {
  readonly rate: OtherRate | undefined;
  readonly set: ScoreSet;
  readonly metric: Metric;
}

/** A line for each set and metric, and for each other learning rate, a column for each seed; below it how the numbers came about. */
export const scoreLines = (look: Look, scores: readonly Score[]): readonly string[] => {
  if (scores.length === 0) return [];
  const rated = scores.map((score) => ({ ...score, rate: rateOf(score.trialId) }));
  const all = rated.map(({ set, metric, rate }): [string, Line] => [`${set} ${metric} ${rate ?? ''}`, { set, metric, rate }]);
  const lines = [...new Map(all).values()];
  const seeds = [...new Set(scores.map(({ seed }) => seed))].toSorted((a, b) => a - b);
  const cell = ({ set, metric, rate }: Line, seed: number): string => {
    const score = rated.find((one) => one.set === set && one.metric === metric && one.rate === rate && one.seed === seed);
    return score === undefined ? '–' : scoreText(metric, score.value);
  };
  const columns: Column<Line>[] = [
    { title: 'set', cell: ({ set }) => set },
    { title: 'metric', cell: ({ metric, rate }) => nameAtRate(metricNames[metric], rate) },
    ...seeds.map(
      (seed, index): Column<Line> => ({
        title: `seed ${seed}`,
        cell: (line) => cell(line, seed),
        align: 'right',
        shrink: index + 1,
        least: 8,
      }),
    ),
  ];
  return [
    ...table(look, columns, lines),
    ...wrap(prefixText(scores), look.width - 2).map((line) => `  ${line}`),
    ...provenanceLines(look, scores),
  ];
};

/** Who scored, behind which wall, on what: a line for each way that occurs. */
export const provenanceLines = (look: Look, scores: readonly Score[]): readonly string[] => {
  const ways = new Set(
    scores.map(
      ({ judgeVersion, sandboxTier, sandboxCanaries, device }) =>
        `scored by judge ${judgeVersion.slice(0, 12)}; candidate code in sandbox ${sandboxTier} (${sandboxCanaries} canaries held) on ${device}`,
    ),
  );
  return [...ways].flatMap((text) => wrap(text, look.width - 2)).map((line) => `  ${line}`);
};

/** The number of the table is from prefixes; how far it is from the one of whole sequences says whether the future was seen. */
const prefixText = (scores: readonly Score[]): string => {
  const most = (of: (score: Score) => number): number => scores.reduce((high, score) => Math.max(high, of(score)), 0);
  const gap = most(({ value, fullSequence }) => Math.abs(value - fullSequence));
  return `from up to ${countText(most(({ prefixes }) => prefixes))} prefixes at up to ${countText(most(({ cuts }) => cuts))} secret cuts a row; largest gap to whole sequences ${gap.toExponential(1)}`;
};

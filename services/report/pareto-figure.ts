import * as Plot from '@observablehq/plot';
import { paretoFront } from '../../workflows/rules/pareto.ts';
import { chart, colours, fullWidth, nothing, section } from './chart.ts';
import type { Markup } from './markup.ts';
import { type Entry, isBaseline, type ReportData } from './report-data.ts';
import { plain, shortened } from './words.ts';

interface Point {
  readonly bits: number;
  readonly recall: number;
  readonly name: string;
  readonly isBaseline: boolean;
  readonly colour: string;
  readonly href: string;
}

/** Recall against loss: one number alone picks architectures with short convolutions, which forget. */
export const paretoFigure = ({ entries }: ReportData): Markup => {
  const points = entries.flatMap((entry): Point[] => {
    const bits = entry.scores['bits-per-byte'];
    const recall = entry.scores['recall-auc'];
    return bits === undefined || recall === undefined ? [] : [pointOf(entry, { bits, recall })];
  });
  const front = paretoFront(points.map((point) => ({ point, costs: [point.bits, point.recall] })))
    .map(({ point }) => point)
    .toSorted((a, b) => a.bits - b.bits);
  const labelled = withoutOverlap([...new Set([...front, ...points.filter((point) => point.isBaseline)])], points);
  return section(
    {
      id: 'pareto',
      title: 'Recall against loss',
      caption:
        'Held-out bits per byte and loss of associative recall over the run, means over the exploring seeds; lower and further left is better on both. The line joins those that no other beats on both. The two are never averaged. The verdict counts bits per byte alone; a finalist that buys them with recall is said to trade. Squares are baselines.',
    },
    points.length === 0
      ? nothing('Nothing has both scores.')
      : chart({
          label: 'Loss of recall against bits per byte',
          width: fullWidth,
          height: 420,
          marginLeft: 60,
          marginRight: 130,
          style: { fontSize: '12.5px', background: 'none' },
          x: { label: 'bits per byte, left is better →', grid: true, nice: true, inset: 10 },
          y: { label: '↑ recall loss in nats, lower is better', grid: true, nice: true, inset: 10 },
          marks: [
            Plot.line(front, { x: 'bits', y: 'recall', stroke: colours.faint, strokeWidth: 2, curve: 'step-after' }),
            Plot.text(labelled, {
              x: 'bits',
              y: 'recall',
              text: (point: Point) => shortened(point.name, 26),
              dx: 9,
              textAnchor: 'start',
              fill: colours.text,
              stroke: colours.card,
              strokeWidth: 4,
            }),
            Plot.dot(points, {
              x: 'bits',
              y: 'recall',
              fill: (point: Point) => point.colour,
              symbol: (point: Point) => (point.isBaseline ? 'square' : 'circle'),
              r: 5,
              title: (point: Point) => `${point.name}\n${plain(point.bits)} bits per byte, recall loss ${plain(point.recall)}`,
              href: 'href',
            }),
          ],
        }),
  );
};

const pointOf = (entry: Entry, { bits, recall }: { readonly bits: number; readonly recall: number }): Point => ({
  bits,
  recall,
  name: entry.name,
  isBaseline: isBaseline(entry),
  colour: isBaseline(entry) ? colours.baseline : entry.experiment.arm === 'control' ? colours.control : colours.candidate,
  href: `#${entry.anchor}`,
});

/** Labels that cover none before them, at about the size that they are drawn; the others show on hover. */
const withoutOverlap = (wanted: readonly Point[], points: readonly Point[]): Point[] => {
  const scale = (values: readonly number[], pixels: number): number =>
    pixels / Math.max(1e-9, Math.max(...values) - Math.min(...values));
  const xScale = scale(
    points.map(({ bits }) => bits),
    820,
  );
  const yScale = scale(
    points.map(({ recall }) => recall),
    320,
  );
  const kept: Point[] = [];
  for (const point of wanted) {
    const isFree = kept.every(
      (other) => Math.abs(other.bits - point.bits) * xScale > 175 || Math.abs(other.recall - point.recall) * yScale > 15,
    );
    if (isFree) kept.push(point);
  }
  return kept;
};

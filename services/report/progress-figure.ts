import * as Plot from '@observablehq/plot';
import { chart, colours, fullWidth, nothing, section } from './chart.ts';
import type { Markup } from './markup.ts';
import { type Entry, isCandidate, type ReportData } from './report-data.ts';
import { gainWords } from './words.ts';

interface Point {
  readonly minutes: number;
  readonly gain: number;
  readonly best: number;
  readonly colour: string;
  readonly title: string;
  readonly href: string;
}

/** Gain of each candidate by the minute it ended, and the best so far. */
export const progressFigure = ({ campaign, entries, reference }: ReportData): Markup => {
  const candidates = entries.filter(isCandidate);
  const minutesOf = ({ experiment }: Entry): number =>
    (Date.parse(experiment.finishedAt ?? experiment.updatedAt) - Date.parse(campaign.createdAt)) / 60_000;
  const scored = candidates.filter(({ explored }) => explored !== null).toSorted((a, b) => minutesOf(a) - minutesOf(b));
  const points = withBest(scored, minutesOf);
  const lost = candidates.filter(({ experiment }) => experiment.state === 'failed' || experiment.state === 'rejected');
  const low = lowerBound(points.map(({ gain }) => gain));
  const numBelow = points.filter(({ gain }) => gain < low).length;
  const last = points.at(-1);
  return section(
    {
      id: 'progress',
      title: 'Best so far over time',
      caption: `Each dot is a candidate at the minute it ended (blue: descended from others, orange: control arm), the line is the best gain over ${reference?.name ?? 'the reference'} so far, crosses below are candidates that were rejected or failed. The best of more draws is larger by luck alone.${numBelow > 0 ? ` ${numBelow} far below the rest ${numBelow === 1 ? 'is' : 'are'} drawn at the lower edge.` : ''}`,
    },
    last === undefined
      ? nothing('No candidate was scored.')
      : chart({
          label: 'Gain of each candidate over time and the best so far',
          width: fullWidth,
          height: 300,
          marginLeft: 60,
          marginRight: 20,
          style: { fontSize: '12.5px', background: 'none' },
          x: { label: 'minutes since the start →', grid: true, domain: [0, Math.max(1, ...[...scored, ...lost].map(minutesOf))] },
          y: {
            label: '↑ gain in bits per byte',
            grid: true,
            nice: true,
            tickFormat: (value: number) => value.toFixed(2).replace('-', '−'),
          },
          marks: [
            Plot.ruleY([0], { stroke: colours.baseline, strokeWidth: 1.5 }),
            Plot.line(points, { x: 'minutes', y: 'best', curve: 'step-after', stroke: colours.candidate, strokeWidth: 2 }),
            Plot.dot(points, {
              x: 'minutes',
              y: (point: Point) => Math.max(low, point.gain),
              fill: (point: Point) => point.colour,
              r: 4,
              title: 'title',
              href: 'href',
            }),
            Plot.dot(lost, {
              x: minutesOf,
              frameAnchor: 'bottom',
              dy: -6,
              symbol: 'times',
              stroke: colours.failed,
              r: 4,
              title: (entry: Entry) => `${entry.name}\n${entry.experiment.failure?.label ?? entry.experiment.state}`,
              href: (entry: Entry) => `#${entry.anchor}`,
            }),
          ],
        }),
  );
};

const withBest = (scored: readonly Entry[], minutesOf: (entry: Entry) => number): Point[] => {
  let best = Number.NEGATIVE_INFINITY;
  return scored.map((entry) => {
    const gain = entry.explored?.mean ?? 0;
    best = Math.max(best, gain);
    return {
      minutes: minutesOf(entry),
      gain,
      best,
      colour: entry.experiment.arm === 'control' ? colours.control : colours.candidate,
      title: `${entry.name}\n${gainWords(entry.explored)}`,
      href: `#${entry.anchor}`,
    };
  });
};

/** Three quartile distances below the lower quartile: one candidate that learned nothing must not flatten the rest. */
const lowerBound = (gains: readonly number[]): number => {
  const sorted = gains.toSorted((a, b) => a - b);
  const lower = sorted[Math.floor(sorted.length / 4)] ?? 0;
  const upper = sorted[Math.floor((3 * sorted.length) / 4)] ?? 0;
  return sorted.length < 4 ? Number.NEGATIVE_INFINITY : Math.min(lower - 3 * (upper - lower), 0);
};

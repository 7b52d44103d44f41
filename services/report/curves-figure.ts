import * as Plot from '@observablehq/plot';
import { taskKinds } from '../../workflows/contracts/rung.ts';
import { mean } from '../../workflows/rules/statistics.ts';
import { chart, colours, halfWidth, nothing, section } from './chart.ts';
import { html, type Markup } from './markup.ts';
import { byGain, type Entry, isBaseline, type ReportData } from './report-data.ts';
import { shortened } from './words.ts';

const shownCandidates = 12;
const namedCandidates = 3;

interface CurvePoint {
  readonly key: string;
  readonly step: number;
  readonly loss: number;
}

const titles = {
  bytes: 'Bytes of text, bits a byte',
  recall: 'Associative recall, nats a token',
  copy: 'Selective copy, nats a token',
} as const;

/** Training loss by step, mean over the exploring seeds; the baselines, the best candidates and those that were stopped. */
export const curvesFigure = ({ entries }: ReportData): Markup => {
  const candidates = entries.filter((entry) => !isBaseline(entry)).toSorted(byGain);
  const stopped = candidates.filter(({ experiment }) => experiment.failure?.stage === 'train');
  const shown = [
    ...new Set([...entries.filter(isBaseline), ...candidates.slice(0, shownCandidates), ...stopped.slice(0, shownCandidates)]),
  ];
  const panels = taskKinds.flatMap((task) => {
    const curves = shown.map((entry) => ({ entry, points: curveOf(entry, task) })).filter(({ points }) => points.length > 0);
    return curves.length === 0 ? [] : [html`<div><h3>${titles[task]}</h3>${panel(curves, candidates)}</div>`];
  });
  return section(
    {
      id: 'curves',
      title: 'Loss curves',
      caption: `Training loss by step, mean over the exploring seeds: baselines grey, the best ${shownCandidates} candidates blue with the first ${namedCandidates} named, runs that ended early red. Training loss only helps to see how a run went; scores come from held-out data.`,
    },
    panels.length === 0 ? nothing('No curve was recorded.') : html`<div class="pair">${panels}</div>`,
  );
};

const curveOf = ({ trials, anchor }: Entry, task: string): CurvePoint[] => {
  const points = trials
    .filter((trial) => trial.purpose === 'explore')
    .flatMap((trial) => trial.curve)
    .filter((point) => point.task === task);
  const bySteps = [...Map.groupBy(points, (point) => point.step)].toSorted(([a], [b]) => a - b);
  return bySteps.flatMap(([step, group]) => {
    const losses = group.flatMap(({ loss }) => (loss === null ? [] : [loss]));
    return losses.length === 0 ? [] : [{ key: anchor, step, loss: mean(losses) / (task === 'bytes' ? Math.LN2 : 1) }];
  });
};

interface Curve {
  readonly entry: Entry;
  readonly points: readonly CurvePoint[];
}

const panel = (curves: readonly Curve[], candidates: readonly Entry[]): Markup => {
  const named = new Set([
    ...curves.filter(({ entry }) => isBaseline(entry)).map(({ entry }) => entry),
    ...candidates.slice(0, namedCandidates),
  ]);
  const ends = apart(
    curves
      .filter(({ entry, points }) => named.has(entry) && points.length > 0)
      .map(({ entry, points }) => ({ entry, end: points.at(-1) as CurvePoint })),
    curves.flatMap(({ points }) => points.map(({ loss }) => loss)),
  );
  const isStopped = ({ experiment }: Entry): boolean => experiment.kind !== 'baseline' && experiment.state !== 'recorded';
  const colourOf = (entry: Entry): string =>
    isStopped(entry) ? colours.failed : entry.experiment.kind === 'baseline' ? colours.baseline : colours.candidate;
  return chart({
    label: 'Training loss by step',
    width: halfWidth,
    height: 300,
    marginLeft: 40,
    marginRight: 150,
    style: { fontSize: '11.5px', background: 'none' },
    x: { label: 'step →', nice: true },
    y: { label: null, grid: true, nice: true },
    marks: [
      ...curves.map(({ entry, points }) =>
        Plot.line(points, {
          x: 'step',
          y: 'loss',
          stroke: colourOf(entry),
          strokeWidth: named.has(entry) ? 2 : isStopped(entry) ? 1.5 : 1,
          strokeOpacity: named.has(entry) || isStopped(entry) ? 0.95 : 0.4,
          title: () => entry.name,
        }),
      ),
      Plot.text(ends, {
        x: 'step',
        y: 'at',
        text: (one: EndLabel) => shortened(one.entry.name, 22),
        fill: (one: EndLabel) => colourOf(one.entry),
        textAnchor: 'start',
        dx: 6,
      }),
    ],
  });
};

interface EndLabel {
  readonly entry: Entry;
  readonly step: number;
  readonly at: number;
}

/** Labels at the ends of the curves, pushed up so that none covers another. */
const apart = (ends: readonly { readonly entry: Entry; readonly end: CurvePoint }[], losses: readonly number[]): EndLabel[] => {
  const gap = ((Math.max(...losses) - Math.min(...losses)) * 13) / 240;
  const lastStep = Math.max(...ends.map(({ end }) => end.step));
  let floor = Number.NEGATIVE_INFINITY;
  return ends
    .toSorted((a, b) => a.end.loss - b.end.loss)
    .map(({ entry, end }) => {
      const at = Math.max(end.loss, floor);
      floor = at + gap;
      return { entry, step: lastStep, at };
    });
};

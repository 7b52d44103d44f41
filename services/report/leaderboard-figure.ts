import * as Plot from '@observablehq/plot';
import { chart, colours, fullWidth, nothing, section } from './chart.ts';
import { html, type Markup } from './markup.ts';
import { byGain, type Entry, type Gain, isBaseline, type ReportData } from './report-data.ts';
import { gainWords, shortened } from './words.ts';

const shownCandidates = 20;

interface Row {
  readonly key: string;
  readonly label: string;
  readonly group: string;
  readonly gain: Gain;
  readonly colour: string;
  readonly href: string;
}

/** Dot and whisker a row, against the reference at zero. */
export const leaderboardFigure = ({ campaign, entries, reference }: ReportData): Markup => {
  const measured = entries.filter(({ explored }) => explored !== null);
  const others = measured.filter(({ isRanked }) => isRanked);
  const unranked = measured.length - others.length;
  const baselines = others.filter(isBaseline);
  const candidates = others.filter((entry) => !isBaseline(entry)).toSorted(byGain);
  const shown = [...baselines, ...candidates.slice(0, shownCandidates)].toSorted(byGain);
  const noise = campaign.noise.find(({ metric }) => metric === 'bits-per-byte');
  const hidden = candidates.length - Math.min(candidates.length, shownCandidates);
  return section(
    {
      id: 'leaderboard',
      title: 'Leaderboard with intervals',
      caption: `Gain in bits per byte of held-out text over ${reference?.name ?? 'the reference'}, which is the line at zero; to the right is better. Bars are 95 % intervals of paired differences. Hollow squares are fresh seeds.${noise === undefined ? '' : ` The band is what the fresh seeds cannot tell from zero by the noise of the calibration alone (±${noise.minimumDetectable.toFixed(3)}).`} The best of many lucky draws looks good while exploring: trust the fresh seeds.${hidden > 0 ? ` ${hidden} weaker ones are left out here and stand in the table below.` : ''}${unranked > 0 ? ` Not ranked and not drawn: ${unranked} scored without a sandbox in a campaign with programs that asi-arch did not write.` : ''}`,
    },
    shown.length === 0
      ? nothing('Nothing was scored against the reference.')
      : html`${legend}${draw(shown, noise?.minimumDetectable ?? null)}`,
  );
};

const legend = html`<ul class="legend">
<li><svg viewBox="0 0 14 14"><circle cx="7" cy="7" r="4.5" fill="var(--baseline)"/></svg>baseline</li>
<li><svg viewBox="0 0 14 14"><circle cx="7" cy="7" r="4.5" fill="var(--candidate)"/></svg>candidate or start, exploring seeds</li>
<li><svg viewBox="0 0 14 14"><circle cx="7" cy="7" r="4.5" fill="var(--control)"/></svg>control arm: drawn at random</li>
<li><svg viewBox="0 0 14 14"><rect x="3" y="3" width="8" height="8" fill="none" stroke="var(--confirmed)" stroke-width="2"/></svg>fresh seeds</li>
</ul>`;

const draw = (shown: readonly Entry[], detectable: number | null): Markup => {
  const label = (entry: Entry): string =>
    `${shortened(entry.name, entry.isUnwalled ? 32 : 44)}${entry.isUnwalled ? ' (no sandbox)' : ''}  ${entry.anchor}`;
  const explored = shown.flatMap((entry): Row[] =>
    entry.explored === null ? [] : [rowOf(entry, entry.explored, colourOf(entry))],
  );
  const confirmed = shown.flatMap((entry): Row[] =>
    entry.confirmed === null ? [] : [rowOf(entry, entry.confirmed, colours.confirmed)],
  );
  const names = new Map(shown.map((entry) => [entry.anchor, label(entry)]));
  const title = (row: Row): string => `${row.label}\n${row.group}: ${gainWords(row.gain)}`;
  const marks = (rows: readonly Row[], { dy, symbol }: { readonly dy: number; readonly symbol: 'circle' | 'square' }) => [
    Plot.link(
      rows.filter(({ gain }) => gain.low !== null && gain.high !== null),
      {
        x1: (row: Row) => row.gain.low,
        x2: (row: Row) => row.gain.high,
        y1: 'key',
        y2: 'key',
        stroke: (row: Row) => row.colour,
        strokeWidth: 2,
        dy,
      },
    ),
    Plot.dot(rows, {
      x: (row: Row) => row.gain.mean,
      y: 'key',
      ...(symbol === 'circle'
        ? { fill: (row: Row) => row.colour }
        : { stroke: (row: Row) => row.colour, fill: 'var(--card)', strokeWidth: 2 }),
      symbol,
      r: 4.5,
      dy,
      title,
      href: 'href',
    }),
  ];
  const hasFresh = confirmed.length > 0;
  return chart({
    label: 'Gain over the reference with intervals, one row an architecture',
    width: fullWidth,
    marginLeft: 350,
    marginRight: 20,
    marginTop: 8,
    height: 70 + shown.length * (hasFresh ? 26 : 22),
    style: { fontSize: '12.5px', background: 'none' },
    x: {
      label: 'gain in bits per byte, right is better →',
      grid: true,
      nice: true,
      tickFormat: (value: number) => value.toFixed(2).replace('-', '−'),
    },
    y: {
      label: null,
      domain: shown.map(({ anchor }) => anchor),
      tickSize: 0,
      tickFormat: (key: string) => names.get(key) ?? key,
    },
    marks: [
      ...(detectable === null ? [] : [Plot.rectX([0], { x1: -detectable, x2: detectable, fill: colours.band })]),
      Plot.ruleX([0], { stroke: colours.baseline, strokeWidth: 1.5 }),
      ...marks(explored, { dy: hasFresh ? -4 : 0, symbol: 'circle' }),
      ...marks(confirmed, { dy: 5, symbol: 'square' }),
    ],
  });
};

const rowOf = (entry: Entry, gain: Gain, colour: string): Row => ({
  key: entry.anchor,
  label: entry.name,
  group: colour === colours.confirmed ? 'fresh seeds' : 'exploring seeds',
  gain,
  colour,
  href: `#${entry.anchor}`,
});

const colourOf = (entry: Entry): string => {
  if (isBaseline(entry)) return colours.baseline;
  return entry.experiment.arm === 'control' ? colours.control : colours.candidate;
};

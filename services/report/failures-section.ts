import * as Plot from '@observablehq/plot';
import { chart, colours, fullWidth, nothing, section } from './chart.ts';
import { html, type Markup } from './markup.ts';
import type { ReportData } from './report-data.ts';
import { shortened } from './words.ts';

interface Group {
  readonly label: string;
  readonly number: number;
  readonly example: string;
  readonly anchor: string;
}

/** What ended experiments badly, by label. */
export const failuresSection = ({ entries }: ReportData): Markup => {
  const failed = entries.flatMap((entry) =>
    entry.experiment.failure === null ? [] : [{ entry, failure: entry.experiment.failure }],
  );
  const groups = [...Map.groupBy(failed, ({ failure }) => failure.label)]
    .map(([label, group]): Group => {
      const last = group.at(-1);
      return { label, number: group.length, example: last?.failure.detail ?? '', anchor: last?.entry.anchor ?? '' };
    })
    .toSorted((a, b) => b.number - a.number || a.label.localeCompare(b.label));
  const repaired = entries.filter(({ experiment }) => experiment.attempts.length > 0 && experiment.state === 'recorded').length;
  return section(
    {
      id: 'failures',
      title: 'What failed, and why',
      caption: `Labels are decided by what the supervisor saw, never by the text of a log. cancelled, budget and infra are not the candidate's doing. ${repaired === 0 ? 'None of the recorded experiments needed a repair.' : `${repaired} recorded ${repaired === 1 ? 'experiment' : 'experiments'} passed the gates after a repair.`}`,
    },
    groups.length === 0
      ? nothing('Nothing was rejected and nothing failed.')
      : html`${chart({
          label: 'Number of failures by label',
          width: fullWidth,
          height: 66 + 26 * groups.length,
          marginLeft: 140,
          marginRight: 40,
          marginTop: 4,
          style: { fontSize: '12.5px', background: 'none' },
          x: { label: 'experiments →', grid: true, ticks: Math.min(8, groups[0]?.number ?? 1), tickFormat: 'd' },
          y: { label: null, domain: groups.map(({ label }) => label), tickSize: 0 },
          marks: [
            Plot.barX(groups, { x: 'number', y: 'label', fill: colours.failed, fillOpacity: 0.75, insetTop: 3, insetBottom: 3 }),
            Plot.text(groups, { x: 'number', y: 'label', text: 'number', dx: 6, textAnchor: 'start', fill: colours.text }),
          ],
        })}<div class="wide"><table><thead><tr><th>Label</th><th>Latest example</th></tr></thead><tbody>${groups.map(
          ({ label, example, anchor }) =>
            html`<tr><td><a href="#${anchor}">${label}</a></td><td>${shortened(example, 300)}</td></tr>`,
        )}</tbody></table></div>`,
  );
};

import { section } from './chart.ts';
import { html, type Markup } from './markup.ts';
import type { ReportData } from './report-data.ts';
import { instant } from './words.ts';

/** Everything that is needed to run it again. */
export const settingsSection = ({ campaign, looks }: ReportData): Markup => {
  const { settings, data, versions } = campaign;
  const facts: readonly (readonly [string, string])[] = [
    ...Object.entries(settings).map(
      ([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const,
    ),
    ...(campaign.budgetChanges ?? []).map(({ at, caps }) => [`budget changed ${instant(at)}`, JSON.stringify(caps)] as const),
    ['data hash', data.hash],
    [
      'data',
      `${data.trainBytes.toLocaleString('en')} bytes of ${data.trainFiles} files to train on, ${data.heldOutBytes.toLocaleString('en')} bytes of ${data.heldOutFiles} files held out`,
    ],
    [
      'trials scored on these data so far',
      `${looks.search} on the search set, ${looks.promotion} on the promotion set, ${looks.champion} on the champion set`,
    ],
    ...Object.entries(versions).map(([name, version]) => [`version of ${name}`, version] as const),
  ];
  return section(
    {
      id: 'settings',
      title: 'Settings',
      caption: 'The same settings, data and versions give the same proposals and, on the same kind of machine, the same losses.',
    },
    html`<details><summary>All settings, data and versions</summary><div class="wide"><table><tbody>${facts.map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`)}</tbody></table></div></details>`,
  );
};

import { scoreSets } from '../../workflows/contracts/score.ts';
import { lookBudget } from '../../workflows/rules/looks.ts';
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
      'looks at the held-out text so far',
      scoreSets
        .map((set) => {
          const { trials, campaigns } = looks[set];
          return `${trials} trials of ${campaigns} campaigns on the ${set} set${lookBudget[set] === null ? '' : `, which bears ${lookBudget[set]} campaigns`}`;
        })
        .join('; '),
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

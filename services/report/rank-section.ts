import { noRungMet, rungCorrelationWords, rungPairWords } from '../../workflows/rules/rung-correlation-words.ts';
import { nothing, section } from './chart.ts';
import { html, type Markup } from './markup.ts';
import { type RankRow, rankRows } from './rank-correlations.ts';
import type { ReportData } from './report-data.ts';
import { plain, signed } from './words.ts';

/** Whether what is cheap to measure ranks experiments as what is dear does. */
export const rankSection = (data: ReportData): Markup => {
  const rows = rankRows(data).filter(({ correlation }) => correlation !== null);
  return section(
    {
      id: 'ranks',
      title: 'Does the cheap look predict the dear one?',
      caption: `Spearman's rank correlation over the experiments that have both, with a 95 % interval and the chance of one as large among random pairings. The table is of the rung ${data.campaign.settings.rung} alone; below it stands how alike rungs rank the programs that any campaign of this machine measured on two of them with these data, mostly baselines. Neither says anything of models larger than those. Intervals by Bonett and Wright (2000). Fresh seeds were given to the best alone, so that their range is restricted and the correlation is smaller than it would be over all; with few experiments it says little either way.`,
    },
    html`${
      rows.length === 0
        ? nothing('Fewer than three experiments have two looks to compare.')
        : html`<div class="wide"><table><thead><tr><th>Ranks compared</th><th class="number">Experiments</th><th class="number">Correlation</th><th class="number">95 % interval</th><th class="number">Chance</th></tr></thead><tbody>${rows.map(row)}</tbody></table></div>`
    }${rungList(data)}`,
  );
};

const rungList = ({ rungRanks }: ReportData): Markup =>
  rungRanks.length === 0
    ? html`<p>${noRungMet}</p>`
    : html`<p>Between rungs:</p><ul>${rungRanks.map((pair) => html`<li>${rungPairWords(pair)}: ${rungCorrelationWords(pair)}.</li>`)}</ul>`;

const row = ({ what, correlation, numBoth }: RankRow): Markup =>
  correlation === null
    ? html``
    : html`<tr><td>${what}</td><td class="number">${numBoth}</td><td class="number">${signed(correlation.rho, 2)}</td><td class="number">${correlation.low === null || correlation.high === null ? '–' : `[${signed(correlation.low, 2)}, ${signed(correlation.high, 2)}]`}</td><td class="number">${correlation.chance < 0.001 ? '< 0.001' : plain(correlation.chance, 3)}</td></tr>`;

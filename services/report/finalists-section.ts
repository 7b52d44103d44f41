import type { Verdict } from '../../workflows/contracts/experiment.ts';
import { looksWarning } from '../../workflows/rules/looks.ts';
import { nothing, section } from './chart.ts';
import { html, type Markup } from './markup.ts';
import { changesWords, type Entry, type ReportData } from './report-data.ts';
import { gainWords } from './words.ts';

const verdictWords: Readonly<Record<Verdict['verdict'], string>> = {
  better: 'better',
  'not-distinguishable': 'not distinguishable',
  worse: 'worse',
  'known-baseline': 'a known baseline',
  unsandboxed: 'no safe sandbox, not ranked',
};
export const verdictTone: Readonly<Record<Verdict['verdict'], 'good' | 'unclear' | 'bad'>> = {
  better: 'good',
  'not-distinguishable': 'unclear',
  worse: 'bad',
  'known-baseline': 'unclear',
  unsandboxed: 'bad',
};

/** Those that were confirmed on fresh seeds, with their verdicts. */
export const finalistsSection = ({ entries, looks, reference }: ReportData): Markup => {
  const judged = entries.filter(({ experiment }) => experiment.verdict !== null);
  const { search, promotion, champion } = looks;
  const warning = looksWarning({ search: search.campaigns, promotion: promotion.campaigns, champion: champion.campaigns });
  return section(
    {
      id: 'finalists',
      title: 'Finalists on fresh seeds',
      caption: `The best candidates were trained again, beside the baselines that they must beat, with seeds that nothing was chosen by; seeds were added where they could still change the verdict. Better means that the whole interval lies above zero against every one of those baselines, and that it held on text asked about once. The last two gains are both over ${reference?.name ?? 'the reference'}: that while exploring is of the luckiest of many draws, so it is selected and biased upwards, and that on fresh seeds is what is left of it.`,
    },
    judged.length === 0
      ? nothing('No candidate was confirmed on fresh seeds.')
      : html`<div class="wide"><table><thead><tr><th>Finalist</th><th>Verdict</th><th>Against</th><th class="number">Gain over it on fresh seeds, bits per byte</th><th class="number">Fresh seeds</th><th class="number">Over ${reference?.name ?? 'the reference'}, fresh seeds</th><th class="number">Over ${reference?.name ?? 'the reference'}, exploring (biased upwards)</th><th>What it changed</th></tr></thead><tbody>${judged.map(row)}</tbody></table></div>
${judged.map(({ name, experiment }) => html`<p class="caption"><b>${name}</b>: ${experiment.verdict?.statement ?? ''}</p>`)}
${warning !== '' && html`<p class="caption"><span class="tag bad">worn text</span> ${warning}</p>`}`,
  );
};

const row = (entry: Entry): Markup => {
  const { verdict } = entry.experiment;
  if (verdict === null) return html``;
  const gain = { mean: verdict.effect.mean, low: verdict.effect.low, high: verdict.effect.high, seeds: verdict.effect.seeds };
  return html`<tr><td><a href="#${entry.anchor}">${entry.name}</a></td><td><span class="tag ${verdictTone[verdict.verdict]}">${verdictWords[verdict.verdict]}</span></td><td>${verdict.against}</td><td class="number">${gainWords(gain)}</td><td class="number">${verdict.effect.seeds}</td><td class="number">${gainWords(entry.confirmed)}</td><td class="number">${gainWords(entry.explored)}</td><td>${changesWords(entry) || '–'}</td></tr>`;
};

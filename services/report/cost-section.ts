import type { Spent, TrialPurpose } from '../../workflows/contracts/trial.ts';
import { secondsSpent, spentSoFar } from '../../workflows/rules/spent.ts';
import { mean } from '../../workflows/rules/statistics.ts';
import { nothing, section } from './chart.ts';
import { html, type Markup } from './markup.ts';
import { byGain, type Entry, isBaseline, isCandidate, type ReportData } from './report-data.ts';
import { count, duration, signed } from './words.ts';

/** What it cost, and what the search did better than chance. */
export const costSection = (data: ReportData): Markup =>
  section(
    {
      id: 'cost',
      title: 'Cost, and the search against chance',
      caption: 'CPU seconds of training and scoring. An accepted improvement is a finalist that fresh seeds called better.',
    },
    data.entries.length === 0
      ? nothing('Nothing was started.')
      : html`<div class="pair">${costTable(data)}${armTable(data)}</div>`,
  );

const secondsOf = (entries: readonly Entry[], purpose?: TrialPurpose): number =>
  entries
    .flatMap(({ trials }) => trials)
    .filter((trial) => purpose === undefined || trial.purpose === purpose)
    .reduce((sum, trial) => sum + trial.cpuSeconds, 0);

const costTable = ({ entries, trialSeconds }: ReportData): Markup => {
  const others = entries.filter((entry) => !isBaseline(entry));
  const lost = others.filter(({ experiment }) => experiment.state !== 'recorded');
  const recorded = others.filter(({ experiment }) => experiment.state === 'recorded');
  const accepted = entries.filter(({ experiment }) => experiment.verdict?.verdict === 'better').length;
  const rows: readonly (readonly [string, string])[] = [
    ['Baselines, exploring seeds', duration(secondsOf(entries.filter(isBaseline), 'explore'))],
    ['Candidates and starts that were recorded', duration(secondsOf(recorded, 'explore'))],
    ['Candidates and starts that were not', duration(secondsOf(lost, 'explore'))],
    ['Fresh seeds', duration(secondsOf(entries, 'confirm'))],
    ['Baselines at half and twice the learning rate', duration(secondsOf(entries, 'rate'))],
    ['Answering the judge, and the judge, against training', overhead(entries)],
    ['Settled in the ledger, in all', duration(trialSeconds.settled)],
    [
      'A recorded candidate, on average',
      recorded.length === 0 ? '–' : duration(secondsOf(recorded, 'explore') / recorded.length),
    ],
    [
      'An accepted improvement',
      accepted === 0 ? 'none was accepted' : `${duration(trialSeconds.settled / accepted)} (${count(accepted, 'improvement')})`,
    ],
  ];
  return html`<div><h3>Where the seconds went</h3><table><tbody>${rows.map(([what, cost]) => html`<tr><td>${what}</td><td class="number">${cost}</td></tr>`)}</tbody></table></div>`;
};

/** Of trials on exploring seeds: those of fresh ones are asked more. */
const overhead = (entries: readonly Entry[]): string => {
  const spent = entries.flatMap(({ trials }) => trials.filter(({ purpose }) => purpose === 'explore')).flatMap(spentSoFar);
  const seconds = (work: Spent['work']): number => secondsSpent(spent.filter((run) => run.work === work));
  const trained = seconds('train');
  if (trained === 0) return '–';
  const [answering, judging] = [seconds('answer'), seconds('judge')].map((part) => `${((100 * part) / trained).toFixed(1)} %`);
  return `${answering} and ${judging}, on exploring seeds`;
};

const arms = { policy: 'Descended from others', control: 'Control: drawn at random' } as const;

const armTable = ({ entries }: ReportData): Markup => {
  const rows = (['policy', 'control'] as const).map((arm) => {
    const of = entries.filter((entry) => isCandidate(entry) && entry.experiment.arm === arm);
    const gains = of.flatMap(({ explored }) => (explored === null ? [] : [explored.mean]));
    const best = of.filter(({ explored }) => explored !== null).toSorted(byGain)[0];
    return html`<tr><td>${arms[arm]}</td><td class="number">${of.length}</td><td class="number">${gains.length}</td><td class="number">${gains.length === 0 ? '–' : signed(mean(gains))}</td><td class="number">${best?.explored == null ? '–' : signed(best.explored.mean)}</td></tr>`;
  });
  return html`<div><h3>Does descent help?</h3><div class="wide"><table><thead><tr><th>Arm</th><th class="number">Candidates</th><th class="number">Scored</th><th class="number">Mean gain</th><th class="number">Best gain</th></tr></thead><tbody>${rows}</tbody></table></div></div>`;
};

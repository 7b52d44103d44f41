import { section } from './chart.ts';
import { verdictTone } from './finalists-section.ts';
import { html, type Markup } from './markup.ts';
import { anchorOf, changesWords, type Entry, type ReportData } from './report-data.ts';
import { gainWords, plain } from './words.ts';

/** Every experiment with what was thought, changed and measured. */
export const experimentsTable = ({ entries }: ReportData): Markup =>
  section(
    {
      id: 'experiments',
      title: 'All experiments',
      caption:
        'By number, which is the order in which they were started. Gains are over the reference, in bits per byte, on the exploring seeds.',
    },
    html`<div class="wide"><table class="all"><thead><tr><th class="number">No.</th><th>Name</th><th>State</th><th class="number">Parent</th><th class="number">Gain</th><th class="number">Bits a byte</th><th class="number">Recall loss</th><th>Change and motivation</th></tr></thead><tbody>${entries.map(row)}</tbody></table></div>`,
  );

const row = (entry: Entry): Markup => {
  const { experiment, name, anchor, explored, scores } = entry;
  const score = (value: number | undefined): string => (value === undefined ? '–' : plain(value, 3));
  const parent =
    experiment.parentId === null
      ? '–'
      : html`<a href="#${anchorOf(experiment.parentId)}">${Number(anchorOf(experiment.parentId).slice(1))}</a>`;
  return html`<tr id="${anchor}"><td class="number">${experiment.number}</td><td>${name}<br><span class="kicker">${kindWords(entry)}</span></td><td>${stateOf(entry)}</td><td class="number">${parent}</td><td class="number">${gainWords(explored)}</td><td class="number">${score(scores['bits-per-byte'])}</td><td class="number">${score(scores['recall-auc'])}</td><td>${thoughts(entry)}</td></tr>`;
};

const authors = { baseline: 'baseline', evolver: 'evolver', agents: 'language model', user: "a person's file" } as const;

const kindWords = ({ experiment }: Entry): string => {
  const author = experiment.proposal === null ? null : authors[experiment.proposal.author];
  const parts = [experiment.kind === 'candidate' ? author : experiment.kind, experiment.arm === 'control' ? 'control arm' : null];
  return parts.filter((part) => part !== null).join(', ');
};

const stateOf = ({ experiment, isUnwalled }: Entry): Markup => {
  const { state, failure, verdict } = experiment;
  const mark = isUnwalled && html`<br><span class="tag bad">no sandbox</span>`;
  if (verdict !== null)
    return html`${state}<br><span class="tag ${verdictTone[verdict.verdict]}">${verdict.verdict.replace('-', ' ')}</span>${mark}`;
  return failure === null ? html`${state}${mark}` : html`${state}<br><span class="tag bad">${failure.label}</span>${mark}`;
};

const thoughts = (entry: Entry): Markup => {
  const { proposal, failure, analysis, doubts = [] } = entry.experiment;
  const changes = changesWords(entry);
  const paragraphs: readonly (readonly [string, string | undefined])[] = [
    ['Motivation', proposal?.motivation],
    ['Expected', proposal?.expectedEffect],
    ['Failure', failure?.detail],
    ...doubts.map(
      ({ reason, outcome, detail }) =>
        [
          'Too good to be taken at its word',
          `${reason}; after the audit it ${outcome}${detail === '' ? '' : `: ${detail}`}`,
        ] as const,
    ),
    ['Analysis', analysis?.summary],
  ];
  const said = paragraphs.filter(([, text]) => text !== undefined && text !== '');
  if (said.length === 0) return html`${changes || '–'}`;
  return html`<details><summary>${changes || 'motivation'}</summary>${said.map(([heading, text]) => html`<p><b>${heading}.</b> ${text ?? ''}</p>`)}</details>`;
};

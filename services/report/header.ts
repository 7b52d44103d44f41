import { type Campaign, isCampaignOver } from '../../workflows/contracts/campaign.ts';
import { html, type Markup } from './markup.ts';
import { byGain, type Entry, isCandidate, type ReportData } from './report-data.ts';
import { count, duration, gainWords, instant, plain, signed } from './words.ts';

/** Name, verdict in plain words, and the figures that a reader wants first. */
export const header = (data: ReportData): Markup => {
  const { campaign } = data;
  const { settings } = campaign;
  const verdict = verdictOf(campaign);
  const source = settings.data.kind === 'stdlib' ? "the Python standard library's source" : settings.data.path;
  return html`<header>
<p class="kicker">asi-arch campaign report</p>
<h1>${campaign.id}</h1>
<p class="kicker">Preset ${settings.preset}, rung ${settings.rung}, seed ${settings.seed}, text: ${source}. Started ${instant(campaign.createdAt)}${campaign.finishedAt === null ? '' : `, ended ${instant(campaign.finishedAt)}`}.</p>
<div class="verdict ${verdict.kind}"><strong>${verdict.heading}</strong>${verdict.statement}</div>
${(campaign.conclusion?.bundleFailures ?? []).map(({ experimentId, detail }) => html`<p>No bundle of ${experimentId}: ${detail}</p>`)}
<div class="cards">${cards(data).map(({ figure, words }) => html`<div class="card"><b>${figure}</b><span>${words}</span></div>`)}</div>
</header>`;
};

const verdictOf = ({
  state,
  conclusion,
  reason,
}: Campaign): { readonly kind: string; readonly heading: string; readonly statement: string } => {
  if (conclusion !== null && conclusion.verdict === 'better')
    return { kind: 'better', heading: 'Better than the baselines', statement: conclusion.statement };
  if (conclusion !== null) return { kind: 'none', heading: 'Nothing found', statement: conclusion.statement };
  if (isCampaignOver(state)) {
    return {
      kind: 'failed',
      heading: state === 'cancelled' ? 'Cancelled' : 'Failed',
      statement: `The campaign ended without a verdict: ${reason ?? 'no reason was recorded'}.`,
    };
  }
  return {
    kind: 'none',
    heading: 'Not finished',
    statement: `The campaign is ${state}. What follows is what was measured so far; there is no verdict yet.`,
  };
};

const cards = ({ campaign, entries, reference, trialSeconds }: ReportData) => {
  const candidates = entries.filter(isCandidate);
  const inState = (state: Entry['experiment']['state']) =>
    candidates.filter(({ experiment }) => experiment.state === state).length;
  const best = candidates.filter(({ explored }) => explored !== null).toSorted(byGain)[0];
  const noise = campaign.noise.find(({ metric }) => metric === 'bits-per-byte');
  const ended = campaign.finishedAt ?? campaign.updatedAt;
  return [
    {
      figure: String(candidates.length),
      words: `candidates: ${inState('recorded')} recorded, ${inState('rejected')} rejected, ${inState('failed')} failed${inState('cancelled') > 0 ? `, ${inState('cancelled')} cancelled` : ''}`,
    },
    {
      figure: best?.explored == null ? '–' : signed(best.explored.mean),
      words:
        best === undefined
          ? 'bits per byte gained: no candidate was scored'
          : `bits per byte over ${reference?.name ?? 'the reference'} while exploring, ${gainWords(best.explored)}: ${best.name}`,
    },
    {
      figure: noise === undefined ? 'unknown' : plain(noise.minimumDetectable, 3),
      words:
        'bits per byte: smallest gain that fresh seeds tell from zero nine times in ten, by the noise of the calibration alone',
    },
    {
      figure: duration(trialSeconds.settled),
      words: `of training and scoring in ${duration((Date.parse(ended) - Date.parse(campaign.createdAt)) / 1000)}, ${count(campaign.settings.slots, 'slot')}`,
    },
  ];
};

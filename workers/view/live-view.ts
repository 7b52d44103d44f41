import { isCampaignOver } from '../../workflows/contracts/campaign.ts';
import type { BestRow } from '../../workflows/contracts/messages.ts';
import { budgetUseWords } from '../../workflows/rules/budget-words.ts';
import { cut, displayWidth, plain, wrap } from './cells.ts';
import { currentActivities } from './current-trials.ts';
import { counted, durationText, effectText, shortId } from './figures.ts';
import { type Look, tint } from './look.ts';
import { progressOf } from './progress.ts';
import { type CampaignSnapshot, changeText, exploredGain, minutesUsed, nameOf, referenceName, stateOf } from './snapshot.ts';
import { bar, sparkline } from './sparkline.ts';
import { table } from './table.ts';

export interface LiveViewOptions {
  readonly maxBest: number;
  /** Last line: what the keys do. */
  readonly keys: string;
}

/** The whole screen of a running campaign; every line fits the width. */
export const liveView = (look: Look, snapshot: CampaignSnapshot, options: LiveViewOptions): readonly string[] => {
  const state = stateOf(snapshot);
  const isOver = state !== null && isCampaignOver(state);
  return [
    ...heading(look, snapshot, isOver),
    '',
    ...bestSection(look, snapshot, options.maxBest),
    ...nowSection(look, snapshot),
    ...failureSection(look, snapshot),
    ...(isOver ? [] : [tint(look, 'dim', cut(options.keys, look.width))]),
  ];
};

const heading = (look: Look, snapshot: CampaignSnapshot, isOver: boolean): readonly string[] => {
  const { campaign, status } = snapshot;
  const title =
    campaign === null
      ? snapshot.campaignId
      : `${snapshot.campaignId}  preset ${campaign.settings.preset}, seed ${campaign.settings.seed}`;
  const state = stateOf(snapshot) ?? 'starting';
  const trouble = plain(snapshot.trouble ?? '');
  const stage = plain(status?.stage ?? 'waiting for the first answer of the workflow');
  return [
    tint(look, 'bold', cut(`asi-arch  ${title}`, look.width)),
    ...(isOver ? [] : [barLine(look, snapshot)]),
    cut(stage === state ? state : `${state}: ${stage}`, look.width),
    ...wrap(budgetLine(snapshot), look.width),
    ...(status?.notices ?? []).flatMap((notice) => wrap(plain(notice), look.width)).map((line) => tint(look, 'yellow', line)),
    ...(trouble === '' ? [] : [tint(look, 'red', cut(trouble, look.width))]),
  ].filter((line) => line !== '');
};

const barLine = (look: Look, snapshot: CampaignSnapshot): string => {
  const { share, msLeft } = progressOf(snapshot);
  const { campaign, nowMs } = snapshot;
  const elapsed = campaign === null ? '' : `${durationText(nowMs - Date.parse(campaign.createdAt))}, `;
  const left = msLeft === null ? 'estimating the time left' : `about ${durationText(msLeft)} left`;
  const tail = ` ${(100 * share).toFixed(0).padStart(3)} %  ${elapsed}${left}`;
  return `${tint(look, 'cyan', bar(share, Math.max(12, look.width - displayWidth(tail))))}${tail}`;
};

export const budgetLine = (snapshot: CampaignSnapshot): string => {
  const { status } = snapshot;
  if (status === null || status.budget === null) return '';
  const { experiments, minutes, trialSeconds } = status.budget;
  const { recorded, rejected, failed, cancelled } = status.finished;
  const ends = [
    `${recorded} recorded`,
    rejected > 0 ? `${rejected} rejected` : '',
    failed > 0 ? `${failed} failed` : '',
    cancelled > 0 ? `${cancelled} cancelled` : '',
  ].filter((part) => part !== '');
  const minutesNow = { ...minutes, used: minutesUsed(snapshot) };
  return `budget: candidates ${budgetUseWords(experiments)}; minutes ${budgetUseWords(minutesNow, 1)}; trial seconds ${budgetUseWords(trialSeconds)}; ${ends.join(', ')}`;
};

/** The workflow's table of best; from the records where it does not answer. */
const bestRows = (snapshot: CampaignSnapshot): readonly BestRow[] => {
  if (snapshot.status !== null) return snapshot.status.best;
  return snapshot.experiments
    .filter(({ state, fitness }) => state === 'recorded' && fitness !== null)
    .map((experiment) => ({
      experimentId: experiment.id,
      name: nameOf(experiment),
      kind: experiment.kind,
      fitness: experiment.fitness?.value ?? null,
      gain: exploredGain(experiment),
      changed: changeText(experiment),
      verdict: experiment.verdict?.verdict ?? null,
    }))
    .toSorted((a, b) => (b.fitness ?? 0) - (a.fitness ?? 0));
};

const bestSection = (look: Look, snapshot: CampaignSnapshot, maxBest: number): readonly string[] => {
  const rows = bestRows(snapshot).slice(0, maxBest);
  if (rows.length === 0) return [];
  const noise = snapshot.campaign?.noise.find(({ metric }) => metric === 'bits-per-byte');
  const floor = noise === undefined ? '' : `; seeds alone differ by ${noise.pairedSd.toFixed(4)} (sd)`;
  return [
    cut(`best so far: bits per byte gained over ${referenceName(snapshot)} with interval${floor}`, look.width),
    ...table<BestRow>(
      look,
      [
        { title: 'id', cell: ({ experimentId }) => shortId(experimentId) },
        { title: 'name', cell: ({ name }) => name, shrink: 1, least: 12 },
        { title: 'kind', cell: ({ kind }) => kind },
        {
          title: 'gain',
          cell: (row) => gainText(snapshot, row),
          tone: ({ gain }) => (gain !== null && gain.low > 0 ? 'green' : null),
        },
        { title: 'changed', cell: ({ changed }) => changed, shrink: 2, least: 14 },
      ],
      rows,
    ),
    '',
  ];
};

const gainText = (snapshot: CampaignSnapshot, { kind, name, gain }: BestRow): string =>
  kind === 'baseline' && name === referenceName(snapshot) ? '0 (reference)' : effectText(gain);

const nowSection = (look: Look, snapshot: CampaignSnapshot): readonly string[] => {
  const activities = currentActivities(snapshot);
  if (activities.length === 0) return [];
  return [
    `now: ${counted(activities.length, 'experiment')} under way`,
    ...table(
      look,
      [
        { title: 'id', cell: ({ id }) => shortId(id) },
        { title: 'name', cell: ({ name }) => name, shrink: 2, least: 12 },
        { title: 'doing', cell: ({ doing }) => doing },
        { title: 'figures', cell: ({ figures }) => figures },
        { title: 'curve', cell: ({ losses }) => sparkline(losses, 24), shrink: 3, least: 8 },
      ],
      activities,
    ),
    '',
  ];
};

const failureSection = (look: Look, snapshot: CampaignSnapshot): readonly string[] => {
  const last = snapshot.status?.lastFailures.slice(0, 3) ?? [];
  if (last.length === 0) return [];
  return [
    'last failures',
    ...last.map(({ experimentId, label, detail }) => cut(`  ${shortId(experimentId)}  ${label}: ${plain(detail)}`, look.width)),
    '',
  ];
};

import { isCampaignOver, type NoiseFloor } from '../../workflows/contracts/campaign.ts';
import { type Experiment, isTerminal } from '../../workflows/contracts/experiment.ts';
import { openingStage, waitingStage } from '../../workflows/contracts/messages.ts';
import { capWords } from '../../workflows/rules/budget-words.ts';
import { nameAtRate } from '../../workflows/rules/rate-name.ts';
import { plain } from './cells.ts';
import { bytesText, counted, durationText, effectText, shortId } from './figures.ts';
import { progressOf } from './progress.ts';
import {
  type CampaignSnapshot,
  changeText,
  exploredGain,
  isReference,
  nameOf,
  referenceName,
  repairsOf,
  stateOf,
} from './snapshot.ts';

/** One thing that happened. The key is the same in every snapshot that shows it, so that no line comes twice. */
export interface CampaignEvent {
  readonly key: string;
  readonly line: string;
  /** When the record says that it happened; null for what was only seen now. */
  readonly at: string | null;
}

/** Everything that a snapshot shows to have happened, in the order in which a log should say it. */
export const eventsOf = (snapshot: CampaignSnapshot): readonly CampaignEvent[] => [
  ...openingEvents(snapshot),
  ...snapshot.experiments.flatMap((experiment) => experimentEvents(snapshot, experiment)),
  ...trialEvents(snapshot),
  ...noiseEvents(snapshot),
  ...progressEvents(snapshot),
  ...closingEvents(snapshot),
];

/** The events whose keys are not in `seen`, the earlier ones first. */
export const newEvents = (snapshot: CampaignSnapshot, seen: ReadonlySet<string>): readonly CampaignEvent[] => {
  const atMs = ({ at }: CampaignEvent): number => (at === null ? snapshot.nowMs : Date.parse(at));
  return eventsOf(snapshot)
    .filter(({ key }) => !seen.has(key))
    .toSorted((a, b) => atMs(a) - atMs(b));
};

const openingEvents = (snapshot: CampaignSnapshot): readonly CampaignEvent[] => {
  const { campaign, status } = snapshot;
  const state = stateOf(snapshot);
  const events: CampaignEvent[] = [];
  if (campaign !== null) {
    const { settings, data } = campaign;
    const text = data.source.kind === 'stdlib' ? "Python's standard library" : data.source.path;
    events.push({
      key: 'opened',
      at: campaign.createdAt,
      line: `${campaign.id} started: preset ${settings.preset}, seed ${settings.seed}, up to ${capWords(settings.experiments, 'candidate')} in ${capWords(settings.minutes, 'minute')} on rung ${settings.rung}; text: ${text}, ${bytesText(data.trainBytes)} to train on, ${bytesText(data.heldOutBytes)} held out`,
    });
  }
  for (const notice of status?.notices ?? []) events.push({ key: `notice:${notice}`, at: null, line: plain(notice) });
  if (status?.stage === openingStage) events.push({ key: 'opening', at: null, line: `waiting: ${openingStage}, some seconds` });
  // Calibrating has not begun.
  const isBefore = status?.stage === openingStage || status?.stage === waitingStage;
  if (state !== null && campaign !== null && !isCampaignOver(state) && !isBefore) {
    events.push({ key: `state:${state}`, at: null, line: `${state}${status === null ? '' : `: ${plain(status.stage)}`}` });
    // It takes minutes, with no trial that trains.
    if (state === 'verifying' && status?.stage.startsWith('scoring '))
      events.push({ key: `stage:${status.stage}`, at: null, line: `verifying: ${plain(status.stage)}` });
  }
  return events;
};

const experimentEvents = (snapshot: CampaignSnapshot, experiment: Experiment): readonly CampaignEvent[] => {
  const { id, kind, proposal, verdict, createdAt, finishedAt } = experiment;
  const who = `${shortId(id)} ${nameOf(experiment)}`;
  const events: CampaignEvent[] = [];
  if (proposal !== null && kind !== 'baseline') {
    const parent = experiment.parentId === null ? '' : ` (from ${shortId(experiment.parentId)})`;
    events.push({ key: `${id}:proposed`, at: createdAt, line: `${who}: proposed${parent}: ${changeText(experiment)}` });
  }
  const waits = waitOf(snapshot, experiment);
  if (waits !== null) events.push({ key: `${id}:${waits.for}`, at: null, line: `${who}: ${waits.words}` });
  repairsOf(experiment).forEach((why, index) => {
    events.push({ key: `${id}:repaired:${index}`, at: finishedAt, line: `${who}: repaired after ${why}` });
  });
  if (isTerminal(experiment.state))
    events.push({ key: `${id}:over`, at: finishedAt, line: `${who}: ${ending(snapshot, experiment)}` });
  if (verdict !== null)
    events.push({ key: `${id}:verdict`, at: snapshot.campaign?.finishedAt ?? null, line: `${who}: ${plain(verdict.statement)}` });
  return events;
};

/** What a baseline is held up by: nothing else is heard of a campaign until the first of them trains. */
const waitOf = ({ activeTrials }: CampaignSnapshot, { id, kind, state }: Experiment) => {
  if (kind !== 'baseline') return null;
  if (state === 'proposed') return { for: 'checking', words: 'its program goes through the gates, or waits for its turn there' };
  const isBegun = activeTrials.some((trial) => trial.experimentId === id && trial.state !== 'queued');
  return state === 'checked' && !isBegun ? { for: 'slot', words: 'the gates passed it; waiting for a slot to train' } : null;
};

const ending = (snapshot: CampaignSnapshot, experiment: Experiment): string => {
  if (experiment.state !== 'recorded') {
    const { failure } = experiment;
    return `${experiment.state}${failure === null ? '' : ` (${failure.label}): ${plain(failure.detail)}`}`;
  }
  if (isReference(snapshot, experiment)) return 'recorded: the reference of every comparison';
  const gain = exploredGain(experiment);
  if (gain === null) return `recorded (${experiment.kind})`;
  return `recorded, ${effectText(gain)} bits per byte over ${referenceName(snapshot)}, ${counted(gain.seeds, 'seed')}`;
};

const trialEvents = (snapshot: CampaignSnapshot): readonly CampaignEvent[] =>
  snapshot.activeTrials
    // One that has ended is told of by its experiment.
    .filter(({ state }) => state === 'running')
    .map((trial) => {
      const experiment = snapshot.experiments.find(({ id }) => id === trial.experimentId);
      const who = `${shortId(trial.experimentId)}${experiment === undefined ? '' : ` ${nameAtRate(nameOf(experiment), trial.rate)}`}`;
      const why = trial.purpose === 'explore' ? 'training' : 'confirming with';
      return { key: `${trial.id}:running`, at: null, line: `${who}: ${why} seed ${trial.seed}` };
    });

/** It is known when the last baseline is; the record has no time of its own for it. */
const noiseEvents = ({ campaign, experiments }: CampaignSnapshot): readonly CampaignEvent[] => {
  const noise = campaign?.noise.find(({ metric }) => metric === 'bits-per-byte');
  if (noise === undefined) return [];
  return [
    {
      key: 'noise',
      at: lastEnd(experiments.filter(({ kind }) => kind === 'baseline')),
      line: `noise floor: on one seed, two runs differ by ${noise.pairedSd.toFixed(4)} bits per byte (sd) without any real difference; the confirmation can tell a gain of ${noise.minimumDetectable.toFixed(4)} nine times in ten${roughWords(noise)}`,
    },
  ];
};

/** A variance of so few degrees may be several times too small: of two, 40 times in one case of forty. */
const roughWords = ({ degreesOfFreedom }: NoiseFloor): string =>
  degreesOfFreedom > 2
    ? ''
    : `; with ${counted(degreesOfFreedom, 'degree')} of freedom neither is known well: more baselines or seeds (exploreSeeds) would tell`;

const lastEnd = (experiments: readonly Experiment[]): string | null => {
  const ends = experiments.map(({ finishedAt }) => finishedAt);
  return ends.includes(null) ? null : (ends.toSorted().at(-1) ?? null);
};

const progressEvents = (snapshot: CampaignSnapshot): readonly CampaignEvent[] => {
  const { share, msLeft } = progressOf(snapshot);
  const tenth = Math.floor(share * 10);
  if (tenth < 1 || tenth >= 10 || msLeft === null) return [];
  return [{ key: `progress:${tenth}`, at: null, line: `progress: ${tenth * 10} %, about ${durationText(msLeft)} left` }];
};

const closingEvents = (snapshot: CampaignSnapshot): readonly CampaignEvent[] => {
  const { campaign } = snapshot;
  if (campaign === null || !isCampaignOver(campaign.state)) return [];
  const took = durationText(
    (campaign.finishedAt === null ? snapshot.nowMs : Date.parse(campaign.finishedAt)) - Date.parse(campaign.createdAt),
  );
  const why = campaign.reason === null ? '' : `: ${plain(campaign.reason)}`;
  return [{ key: 'over', at: campaign.finishedAt, line: `${campaign.id} ${campaign.state} after ${took}${why}` }];
};

import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { Score } from '../../workflows/contracts/score.ts';
import type { RungCorrelation } from '../../workflows/rules/rung-correlations.ts';
import { cut, plain, wrap } from './cells.ts';
import { counted, durationText, shortId } from './figures.ts';
import { type Look, roomOf, tint } from './look.ts';
import { rungRankLines } from './rung-rank-lines.ts';
import { provenanceLines } from './score-lines.ts';
import { nameOf } from './snapshot.ts';
import { changeLines, rankStandings, type Standing, standingsTable } from './standing.ts';

export interface Ending {
  readonly campaign: Campaign;
  /** Baselines, starts and the best candidates. */
  readonly standings: readonly Standing[];
  readonly ends: { readonly recorded: number; readonly rejected: number; readonly failed: number; readonly cancelled: number };
  /** Experiments that were rejected or failed. */
  readonly lost: readonly Experiment[];
  /** Of the standings: who measured them, and behind which wall. */
  readonly scores: readonly Score[];
  /** Over every campaign of this archive on the same data. */
  readonly rungRanks: readonly RungCorrelation[];
  readonly nowMs: number;
}

/** What a finished campaign found, in words, figures and paths; ends with what to try next. */
export const closingLines = (look: Look, ending: Ending): readonly string[] => {
  const { campaign, ends } = ending;
  const tookMs = Date.parse(campaign.finishedAt ?? new Date(ending.nowMs).toISOString()) - Date.parse(campaign.createdAt);
  const over = [
    counted(ends.recorded, 'experiment').concat(' recorded'),
    ends.rejected > 0 ? `${ends.rejected} rejected` : '',
    ends.failed > 0 ? `${ends.failed} failed` : '',
    ends.cancelled > 0 ? `${ends.cancelled} cancelled` : '',
  ].filter((part) => part !== '');
  return [
    tint(look, 'bold', `Campaign ${campaign.id} ${campaign.state} after ${durationText(tookMs)}: ${over.join(', ')}`),
    ...(campaign.reason === null ? [] : wrap(campaign.reason, look.width)),
    ...verdictLines(look, campaign),
    ...rungLines(look, campaign),
    ...rankingLines(look, ending),
    ...knownRanksLines(look, ending),
    ...lostLines(look, ending),
    ...pathLines(look, campaign),
    ...nextLines(ending),
  ];
};

const verdictLines = (look: Look, { conclusion }: Campaign): readonly string[] => {
  if (conclusion === null) return [];
  const tone = conclusion.verdict === 'better' ? 'green' : 'yellow';
  return ['', ...wrap(conclusion.statement, look.width).map((line) => tint(look, tone, line))];
};

/** Said wherever scores of such a rung are shown, since figures with intervals look as if they meant something. */
export const rungLines = (look: Look, { settings }: Campaign): readonly string[] =>
  settings.rung === 'tiny' ? ['', ...wrap(tinyText, look.width).map((line) => tint(look, 'yellow', line))] : [];

const tinyText =
  'Rung tiny only tries the path from proposal to report: its scores rank nothing, and neither "better" nor "not distinguishable" means anything here. Preset quick is the smallest that measures.';

const rankingLines = (look: Look, { campaign, standings, scores, ends }: Ending): readonly string[] => {
  const ranked = rankStandings(standings);
  if (ranked.length === 0) return [];
  const more = ends.recorded - ranked.filter(({ experiment }) => experiment.state === 'recorded').length;
  const { settings } = campaign;
  const reference = settings.baselines[0] ?? 'the reference';
  const explored = `explored on ${counted(settings.exploreSeeds, 'seed')}`;
  const heading = `Bits per byte gained over ${reference} on held-out text, with interval (above zero is better); ${explored}${freshSeedsText(ranked)}:`;
  const winners = ranked.filter(({ experiment }) => experiment.kind === 'candidate').slice(0, settings.finalists);
  return [
    '',
    ...wrap(heading, look.width),
    ...standingsTable(look, ranked),
    ...(more > 0
      ? [`  and ${more} more that ${more === 1 ? 'was' : 'were'} recorded, see npx asi leaderboard ${campaign.id}`]
      : []),
    ...provenanceLines(look, scores),
    ...(winners.length === 0
      ? []
      : ['', 'What the best candidates changed against their parents:', ...changeLines(look, winners)]),
  ];
};

/** Seeds are added where they may still change a verdict, so that not all were confirmed on as many. */
const freshSeedsText = (ranked: readonly Standing[]): string => {
  const seeds = ranked.flatMap(({ confirmed }) => (confirmed === null ? [] : [confirmed.seeds]));
  if (seeds.length === 0) return '';
  const [least, most] = [Math.min(...seeds), Math.max(...seeds)];
  return `, confirmed on ${least === most ? '' : `${least} to `}${counted(most, 'fresh seed')}`;
};

/** Here only what is known; `asi leaderboard` also says what is missing. */
const knownRanksLines = (look: Look, { rungRanks }: Ending): readonly string[] => {
  const known = rungRanks.filter(({ correlation }) => correlation !== null);
  return known.length === 0 ? [] : rungRankLines(look, known);
};

const lostShown = 3;

const lostLines = (look: Look, { campaign, lost }: Ending): readonly string[] => {
  if (lost.length === 0) return [];
  const more = lost.length - lostShown;
  return [
    '',
    'Not measured:',
    ...lost.slice(0, lostShown).map((experiment) => cut(`  ${lossText(experiment)}`, roomOf(look))),
    ...(more > 0 ? [`  and ${more} more, see npx asi lineage ${campaign.id}`] : []),
  ];
};

const lossText = (experiment: Experiment): string => {
  const { failure } = experiment;
  const why = failure === null ? experiment.state : `${experiment.state} (${failure.label}): ${plain(failure.detail)}`;
  return `${shortId(experiment.id)} ${nameOf(experiment)}: ${why}`;
};

const pathLines = (look: Look, { conclusion }: Campaign): readonly string[] => {
  if (conclusion === null) return [];
  const { reportPath, reportFailure, bundlePaths, bundleFailures = [] } = conclusion;
  const failures = [
    ...(reportFailure === undefined ? [] : [`No report: ${plain(reportFailure)}`]),
    ...bundleFailures.map(({ experimentId, detail }) => `No bundle of ${shortId(experimentId)}: ${plain(detail)}`),
  ].flatMap((text) => wrap(text, look.width));
  const lines = [
    ...(reportPath === null ? [] : [`Report  ${reportPath}`]),
    ...bundlePaths.map((path) => `Bundle  ${path}`),
    ...failures.map((line) => tint(look, 'yellow', line)),
  ];
  return lines.length === 0 ? [] : ['', ...lines];
};

/** Three commands, each of which can be run as it stands. */
const nextLines = (ending: Ending): readonly string[] => {
  const commands = ending.campaign.state === 'finished' ? afterFinish(ending) : afterTrouble(ending);
  const width = Math.max(...commands.map(({ command }) => command.length));
  return ['', 'Next:', ...commands.map(({ command, why }) => `  ${command.padEnd(width)}  ${why}`)];
};

interface NextCommand {
  readonly command: string;
  readonly why: string;
}

const afterFinish = ({ campaign, standings }: Ending): readonly NextCommand[] => {
  const best = rankStandings(standings).find(({ experiment }) => experiment.kind !== 'baseline');
  const { preset, seed } = campaign.settings;
  const bigger = preset === 'tiny' ? 'quick' : 'standard';
  return [
    best === undefined
      ? { command: `npx asi leaderboard ${campaign.id}`, why: 'what was measured' }
      : { command: `npx asi show ${best.experiment.id}`, why: 'its code against its parent, curves, scores' },
    { command: `npx asi lineage ${campaign.id}`, why: 'the tree of everything tried' },
    bigger === preset
      ? { command: `npm run discover -- --preset ${preset} --seed ${seed + 1}`, why: 'the same with another seed' }
      : { command: `npm run discover -- --preset ${bigger}`, why: 'a larger campaign' },
  ];
};

const afterTrouble = ({ campaign }: Ending): readonly NextCommand[] => [
  { command: `npx asi lineage ${campaign.id}`, why: 'everything tried and how it ended' },
  { command: 'npx asi doctor', why: 'whether something is missing on this machine' },
  { command: `npm run discover -- --preset ${campaign.settings.preset}`, why: 'try again' },
];

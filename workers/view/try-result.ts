import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { wrap } from './cells.ts';
import { rungLines } from './closing.ts';
import { counted, effectText } from './figures.ts';
import { type Look, tint } from './look.ts';
import { nameOf } from './snapshot.ts';
import { rankStandings, type Standing, standingsTable } from './standing.ts';

/** Where a person's own program stands. */
export const tryLines = (
  look: Look,
  result: { readonly campaign: Campaign; readonly tried: Experiment; readonly standings: readonly Standing[] },
): readonly string[] => {
  const { campaign, tried, standings } = result;
  const ranked = rankStandings(standings);
  const reference = campaign.settings.baselines[0] ?? 'the reference';
  return [
    ...wrap(sentence(campaign, tried, ranked), look.width).map((line) => tint(look, 'bold', line)),
    ...rungLines(look, campaign),
    ...(ranked.length === 0
      ? []
      : ['', `Bits per byte gained over ${reference} on held-out text, with interval:`, ...standingsTable(look, ranked)]),
    '',
    'Next:',
    `  npx asi show ${tried.id}`,
    `  npx asi report ${campaign.id}`,
    ...(tried.state === 'recorded'
      ? [`  npm run discover -- --preset quick --start ${shellWord(campaign.settings.starts.at(-1) ?? '')}`]
      : []),
  ];
};

/** A word that a POSIX shell reads as it stands. */
const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** "was rejected", but "failed". */
export const endWords = (state: Experiment['state']): string => (state === 'failed' ? 'failed' : `was ${state}`);

const sentence = (campaign: Campaign, tried: Experiment, ranked: readonly Standing[]): string => {
  const name = nameOf(tried);
  if (tried.failure !== null) return `${name} ${endWords(tried.state)} (${tried.failure.label}): ${tried.failure.detail}`;
  const own = ranked.find(({ experiment }) => experiment.id === tried.id);
  if (own === undefined) return `${name} is ${tried.state}.`;
  if (!own.isRanked && tried.verdict === null)
    return `${name} has ${effectText(own.explored)} on ${counted(campaign.settings.exploreSeeds, 'seed')}, scored without a sandbox: it is not ranked, and was not confirmed on fresh seeds.`;
  if (tried.verdict !== null) return `${name}: ${tried.verdict.statement}`;
  const place = ranked.indexOf(own) + 1;
  return `${name} stands ${place} of ${ranked.length} with ${effectText(own.explored)} on ${counted(campaign.settings.exploreSeeds, 'seed')}; it was not confirmed on fresh seeds.`;
};

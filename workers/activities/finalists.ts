import type { Archive } from '../../services/archive/archive.ts';
import { genomeKey } from '../../services/evolver/genome-key.ts';
import { noiseExperiments } from '../../services/export/noise-experiments.ts';
import { baselineGenomes } from '../../workflows/contracts/baselines.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { type BaselineName, baselineNames } from '../../workflows/contracts/genome.ts';
import type { Score, ScoreSet } from '../../workflows/contracts/score.ts';
import { mostConfirmedBaselines } from '../../workflows/contracts/settings.ts';
import { mayBeStrongest } from '../../workflows/rules/rivals.ts';
import { weakestTier } from '../../workflows/rules/sandbox.ts';
import { calibrationSeeds } from '../../workflows/rules/trial-seeds.ts';
import { openIn, silencedBy } from '../../workflows/rules/unsandboxed.ts';
import { type Finalists, pickFinalists } from '../../workflows/rules/verdict.ts';
import { referenceId } from './calibrate.ts';
import { requireCampaign } from './experiment-record.ts';
import { type Bar, exploringNoise, type VerdictFacts } from './finalist-verdict.ts';
import { ScoreTable } from './score-table.ts';

/** Finalists, the baselines that they must beat, and what bars a finalist from being called better. */
export const chooseFinalists = async (archive: Archive, campaignId: string): Promise<Finalists> => {
  const campaign = await requireCampaign(archive, campaignId);
  const { settings } = campaign;
  const baselines = await archive.listExperiments(campaignId, { kinds: ['baseline'], states: ['recorded'] });
  // Best first, so that the finalists are among so many, whatever the size of the campaign: baselines and barred ones may rank above
  // them, and those that are barred are starts, or candidates that were repaired into a baseline.
  const numLeaders = 2 * settings.finalists + settings.baselines.length + settings.starts.length;
  const leaders = await archive.leaderboard(campaignId, numLeaders);
  const contenders = (await Promise.all(leaders.map(({ id }) => archive.getExperiment(id))))
    .filter((one) => one !== null)
    .filter(({ kind }) => kind !== 'baseline');
  // By the rows that chose them alone: later ones must not change who was chosen.
  const bars = await readBars(archive, { experiments: contenders, beside: [referenceId(campaignId)], sets: ['search'] });
  const noise = exploringNoise(settings, await readNoiseRows(archive, campaign));
  const metric = 'bits-per-byte';
  const ids = baselines.map(({ id }) => id);
  const table = await ScoreTable.ofExperiments(archive, ids);
  const seeds = calibrationSeeds(settings);
  return pickFinalists({
    experiments: [...contenders, ...baselines].map((one) => {
      const { id, kind, number, fitness } = one;
      const bar = bars.get(id);
      const isBarred = bar !== undefined && (bar.knownAs !== null || bar.silence !== null);
      return { id, kind, number, fitness: fitness?.value ?? null, isBarred };
    }),
    finalists: settings.finalists,
    referenceId: referenceId(campaignId),
    rivals: mayBeStrongest({
      metric,
      baselines: ids.map((id) => ({ id, values: table.values(id, { metric, seeds }) })),
      noise: noise(metric),
    }),
    mostBaselines: mostConfirmedBaselines(settings),
  });
};

export interface BarQuery {
  readonly experiments: readonly Experiment[];
  /** Ids of what they are compared with: a result is as weak as the weaker of the two. */
  readonly beside: readonly string[];
  /** Whose rows count. */
  readonly sets: readonly ScoreSet[];
}

/** What bars each of these from being a discovery. */
export const readBars = async (archive: Archive, { experiments, beside, sets }: BarQuery): Promise<ReadonlyMap<string, Bar>> => {
  const [first] = experiments;
  if (first === undefined) return new Map();
  const { settings } = await requireCampaign(archive, first.campaignId);
  const rowsOf = async (experimentId: string): Promise<readonly Score[]> =>
    (await archive.listScores({ experimentId })).filter(({ set }) => sets.includes(set));
  const shared = (await Promise.all(beside.map(rowsOf))).flat();
  const asked = await Promise.all(
    experiments.map(async (experiment) => {
      const rows = [...shared, ...(await rowsOf(experiment.id))];
      const tier = weakestTier(rows.map(({ sandboxTier }) => sandboxTier));
      return { experiment, tier, open: openIn(rows, settings.data) };
    }),
  );
  const authors = asked.some(({ open }) => open !== null) ? await authorsIn(archive, first.campaignId) : [];
  return new Map(
    asked.map(({ experiment, tier, open }) => [
      experiment.id,
      { tier, knownAs: knownAs(experiment), silence: silencedBy({ open, authors }) },
    ]),
  );
};

/** Reads a whole campaign; asked only where a row leaves something open. */
export const authorsIn = async (archive: Archive, campaignId: string) =>
  new Set((await archive.listExperiments(campaignId)).flatMap(({ proposal }) => (proposal === null ? [] : [proposal.author])));

/** A record from before anybody asked is told by its genome. */
export const knownAs = ({ architecture }: Pick<Experiment, 'architecture'>): BaselineName | null => {
  if (architecture === null) return null;
  const { genome } = architecture;
  if (architecture.knownAs !== undefined) return architecture.knownAs;
  return genome === null ? null : (baselineNames.find((name) => genomeKey(baselineGenomes[name]) === genomeKey(genome)) ?? null);
};

/** The rows that `exploringNoise` is made of, for the choice of finalists and for their verdicts. */
export const readNoiseRows = async (archive: Archive, campaign: Pick<Campaign, 'id'>): Promise<VerdictFacts['noise']> => {
  const ids = await noiseExperiments(archive, campaign);
  return await Promise.all(
    ids.map(async (experimentId) => ({ experimentId, scores: await archive.listScores({ experimentId }) })),
  );
};

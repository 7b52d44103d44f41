import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment, Proposal } from '../../workflows/contracts/experiment.ts';
import type { LedgerTotal } from '../../workflows/contracts/ledger.ts';
import type { Metric, Score, ScoreSet } from '../../workflows/contracts/score.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import { uncountedRungs } from '../../workflows/rules/looks.ts';
import type { RungCorrelation } from '../../workflows/rules/rung-correlations.ts';
import { weakestTier } from '../../workflows/rules/sandbox.ts';
import { mean, pairedDifferences, pairedEffect, type SeedValues } from '../../workflows/rules/statistics.ts';
import { openIn, silencedBy } from '../../workflows/rules/unsandboxed.ts';
import type { Archive, Looks } from '../archive/archive.ts';
import { readRungRanks } from './rung-ranks.ts';

/** Bits per byte over the reference; the spread is null where nothing honest can be said of it. */
export interface Gain {
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly seeds: number;
}

/** One experiment with what was measured of it. */
export interface Entry {
  readonly experiment: Experiment;
  readonly name: string;
  /** Anchor of its row in the table of all experiments. */
  readonly anchor: string;
  readonly trials: readonly Trial[];
  /** Over the reference on the exploring seeds; null for the reference itself. */
  readonly explored: Gain | null;
  /** Over the reference on fresh seeds, of finalists and the baselines that were confirmed with them. */
  readonly confirmed: Gain | null;
  /** Means over the exploring seeds. */
  readonly scores: Partial<Readonly<Record<Metric, number>>>;
  /** Means over the fresh seeds; empty where it was not confirmed. */
  readonly confirmedScores: Partial<Readonly<Record<Metric, number>>>;
  /** A row of it or of the reference was made without a wall: a mark for good. */
  readonly isUnwalled: boolean;
  /** False where that row may be the program's own making. */
  readonly isRanked: boolean;
}

export interface ReportData {
  readonly campaign: Campaign;
  /** By number. */
  readonly entries: readonly Entry[];
  readonly reference: Entry | null;
  readonly trialSeconds: LedgerTotal;
  /** Sandbox tiers that scores were made under. */
  readonly sandboxTiers: readonly string[];
  readonly devices: readonly string[];
  /** Trials and campaigns of this archive that were scored on these data, by set: each look wears a held-out set out. */
  readonly looks: Readonly<Record<ScoreSet, Looks>>;
  /** Whether rungs rank alike, over every campaign of this archive on these data. */
  readonly rungRanks: readonly RungCorrelation[];
}

/** There is no such campaign in the archive. */
export class UnknownCampaignError extends Error {
  override readonly name = 'UnknownCampaignError';
  readonly campaignId: string;
  constructor(campaignId: string) {
    super(`There is no campaign "${campaignId}" in the archive.`);
    this.campaignId = campaignId;
  }
}

export const readReportData = async (archive: Archive, campaignId: string): Promise<ReportData> => {
  const campaign = await archive.getCampaign(campaignId);
  if (campaign === null) throw new UnknownCampaignError(campaignId);
  const [experiments, trials, scores, totals] = await Promise.all([
    archive.listExperiments(campaignId),
    archive.listTrials({ campaignId }),
    archive.listScores({ campaignId }),
    archive.ledgerTotals(campaignId),
  ]);
  const trialsOf = Map.groupBy(trials, (trial) => trial.experimentId);
  const scoresOf = Map.groupBy(scores, (score) => score.trialId);
  const measured = (experiment: Experiment): Measured => ({
    experiment,
    trials: trialsOf.get(experiment.id) ?? [],
    values: (query) => valuesOf({ trials: trialsOf.get(experiment.id) ?? [], scoresOf }, query),
    rows: (trialsOf.get(experiment.id) ?? []).flatMap(({ id }) => scoresOf.get(id) ?? []),
  });
  const authors = new Set(experiments.flatMap(({ proposal }) => (proposal === null ? [] : [proposal.author])));
  const all = experiments.map(measured);
  const baselines = all.filter(({ experiment }) => experiment.kind === 'baseline');
  const reference =
    baselines.find(({ experiment }) => experiment.proposal?.name === campaign.settings.baselines[0]) ?? baselines[0] ?? null;
  const entries = all.map((one) => entryOf(one, { reference, campaign, authors }));
  return {
    campaign,
    entries,
    reference: entries.find((entry) => entry.experiment.id === reference?.experiment.id) ?? null,
    trialSeconds: totals['trial-seconds'],
    sandboxTiers: [...new Set(scores.map((score) => score.sandboxTier))].toSorted(),
    devices: [...new Set(scores.map((score) => score.device))].toSorted(),
    looks: await looksAt(archive, campaign.data.hash),
    rungRanks: await readRungRanks(archive, campaign.data.hash),
  };
};

const looksAt = async (archive: Archive, dataHash: string): Promise<ReportData['looks']> => {
  const count = (set: ScoreSet): Promise<Looks> => archive.countLooks({ dataHash, set, uncounted: uncountedRungs });
  const [search, promotion, champion] = await Promise.all([count('search'), count('promotion'), count('champion')]);
  return { search, promotion, champion };
};

interface ValueQuery {
  readonly metric: Metric;
  readonly purpose: Trial['purpose'];
}
interface Measured {
  readonly experiment: Experiment;
  readonly trials: readonly Trial[];
  readonly values: (query: ValueQuery) => SeedValues;
  readonly rows: readonly Score[];
}

const valuesOf = (
  { trials, scoresOf }: { readonly trials: readonly Trial[]; readonly scoresOf: ReadonlyMap<string, readonly Score[]> },
  { metric, purpose }: ValueQuery,
): SeedValues =>
  new Map(
    trials
      .filter((trial) => trial.purpose === purpose)
      .flatMap((trial) => scoresOf.get(trial.id) ?? [])
      // Champion rows are of the same trials and seeds as promotion rows.
      .filter((score) => score.metric === metric && score.set !== 'champion')
      .map((score) => [score.seed, score.value]),
  );

const shownMetrics = ['bits-per-byte', 'recall-auc', 'recall-accuracy', 'copy-loss'] as const;

const entryOf = (
  { experiment, trials, values, rows }: Measured,
  {
    reference,
    campaign,
    authors,
  }: {
    readonly reference: Measured | null;
    readonly campaign: Campaign;
    readonly authors: ReadonlySet<Proposal['author']>;
  },
): Entry => {
  const behind = rows.length === 0 ? [] : [...rows, ...(reference?.rows ?? [])];
  const meansOn = (purpose: Trial['purpose']): Partial<Record<Metric, number>> => {
    const means: Partial<Record<Metric, number>> = {};
    for (const metric of shownMetrics) {
      const found = [...values({ metric, purpose }).values()];
      if (found.length > 0) means[metric] = mean(found);
    }
    return means;
  };
  const gainOn = (purpose: Trial['purpose']): Gain | null =>
    reference === null || reference.experiment.id === experiment.id
      ? null
      : gainOf({
          campaign,
          candidate: values({ metric: 'bits-per-byte', purpose }),
          reference: reference.values({ metric: 'bits-per-byte', purpose }),
        });
  return {
    experiment,
    name: experiment.proposal?.name ?? `experiment ${experiment.number}`,
    anchor: anchorOf(experiment.id),
    trials,
    explored: gainOn('explore'),
    confirmed: gainOn('confirm'),
    scores: meansOn('explore'),
    confirmedScores: meansOn('confirm'),
    isUnwalled: weakestTier(behind.map(({ sandboxTier }) => sandboxTier)) === 'none',
    isRanked: silencedBy({ open: openIn(behind, campaign.settings.data), authors }) === null,
  };
};

/** `c-name/e0007` has the anchor `e0007`. */
export const anchorOf = (experimentId: string): string => experimentId.split('/')[1] ?? experimentId;

const gainOf = ({
  campaign,
  candidate,
  reference,
}: {
  campaign: Campaign;
  candidate: SeedValues;
  reference: SeedValues;
}): Gain | null => {
  const metric = 'bits-per-byte';
  const differences = pairedDifferences({ metric, candidate, reference });
  if (differences.length === 0) return null;
  const noise = campaign.noise.find((floor) => floor.metric === metric) ?? null;
  const effect = pairedEffect({ metric, candidate, reference, noise });
  return { mean: mean(differences), low: effect?.low ?? null, high: effect?.high ?? null, seeds: differences.length };
};

export const isBaseline = ({ experiment }: Entry): boolean => experiment.kind === 'baseline';
export const isCandidate = ({ experiment }: Entry): boolean => experiment.kind === 'candidate';
/** Best first by the mean gain on the exploring seeds, equal gains by number. */
export const byGain = (a: Entry, b: Entry): number =>
  (b.explored?.mean ?? Number.NEGATIVE_INFINITY) - (a.explored?.mean ?? Number.NEGATIVE_INFINITY) ||
  a.experiment.number - b.experiment.number;

export const changesWords = ({ experiment }: Entry): string =>
  (experiment.proposal?.changes ?? []).map((change) => `${change.gene}: ${change.from} → ${change.to}`).join('; ');

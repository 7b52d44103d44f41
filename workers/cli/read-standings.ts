import type { Archive } from '../../services/archive/archive.ts';
import type { Effect } from '../../workflows/contracts/analysis.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { scoreSets } from '../../workflows/contracts/score.ts';
import { pairedEffect } from '../../workflows/rules/statistics.ts';
import { readBars } from '../activities/finalists.ts';
import { type Standing, standingOf } from '../view/standing.ts';

/** Candidates shown beyond the finalists. */
const moreCandidates = 2;

/** Baselines, starts, finalists and the best other candidates with their gains over the reference. */
export const readStandings = async (archive: Archive, campaign: Campaign): Promise<readonly Standing[]> => {
  const given = await archive.listExperiments(campaign.id, { kinds: ['baseline', 'start'], states: ['recorded'] });
  const finalists = campaign.conclusion?.finalists.map(({ experimentId }) => experimentId) ?? [];
  const leaders = await archive.leaderboard(campaign.id, given.length + campaign.settings.finalists + moreCandidates);
  const shown = new Set(given.map(({ id }) => id));
  const others = [...finalists, ...leaders.filter(({ kind }) => kind === 'candidate').map(({ id }) => id)].filter(
    (id) => !shown.has(id),
  );
  const ids = [...new Set(others)].slice(0, campaign.settings.finalists + moreCandidates);
  const candidates = await Promise.all(ids.map((id) => archive.getExperiment(id)));
  return withConfirmations(archive, campaign, [...given, ...candidates.filter((experiment) => experiment !== null)]);
};

/** The experiments with the gains that fresh seeds confirmed, each against the reference on common seeds. */
export const withConfirmations = async (
  archive: Archive,
  campaign: Campaign,
  experiments: readonly Experiment[],
): Promise<readonly Standing[]> => {
  const referenceName = campaign.settings.baselines[0] ?? '';
  const reference = await findReference(archive, campaign, referenceName);
  const referenceValues = reference === null ? null : await confirmedValues(archive, reference.id);
  const bars = await readBars(archive, {
    experiments,
    beside: reference === null ? [] : [reference.id],
    sets: scoreSets,
  });
  return Promise.all(
    experiments.map(async (experiment) => {
      const bar = bars.get(experiment.id);
      const isReference = experiment.id === reference?.id;
      const confirmed =
        isReference || referenceValues === null
          ? null
          : effectOn(campaign, await confirmedValues(archive, experiment.id), referenceValues);
      return standingOf(experiment, {
        isReference,
        confirmed,
        isUnwalled: bar?.tier === 'none',
        isRanked: bar === undefined || bar.silence === null,
      });
    }),
  );
};

const findReference = async (archive: Archive, campaign: Campaign, name: string): Promise<Experiment | null> => {
  const baselines = await archive.listExperiments(campaign.id, { kinds: ['baseline'] });
  return baselines.find(({ proposal }) => proposal?.name === name) ?? null;
};

/** Held-out bits per byte by confirming seed; champion rows are of the same trials and stay apart. */
const confirmedValues = async (archive: Archive, experimentId: string): Promise<ReadonlyMap<number, number>> => {
  const [trials, scores] = await Promise.all([archive.listTrials({ experimentId }), archive.listScores({ experimentId })]);
  const confirming = new Set(trials.filter(({ purpose }) => purpose === 'confirm').map(({ id }) => id));
  return new Map(
    scores
      .filter(({ trialId, metric, set }) => metric === 'bits-per-byte' && set !== 'champion' && confirming.has(trialId))
      .map(({ seed, value }) => [seed, value]),
  );
};

const effectOn = (
  campaign: Campaign,
  candidate: ReadonlyMap<number, number>,
  reference: ReadonlyMap<number, number>,
): Effect | null => {
  const noise = campaign.noise.find(({ metric }) => metric === 'bits-per-byte');
  return pairedEffect({ metric: 'bits-per-byte', candidate, reference, ...(noise === undefined ? {} : { noise }) });
};

import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { numNoiseRows } from '../../workflows/rules/pool.ts';
import type { Archive } from '../archive/archive.ts';

/**
 * Whose exploring rows the noise behind a verdict is made of, in the order in which they are pooled: all baselines and the fitter half of the
 * recorded experiments, fifty at most.
 */
export const noiseExperiments = async (archive: Archive, { id }: Pick<Campaign, 'id'>): Promise<readonly string[]> => {
  const counts = await archive.countExperiments(id);
  const [leaders, baselines] = await Promise.all([
    archive.leaderboard(id, numNoiseRows(counts.recorded)),
    archive.listExperiments(id, { kinds: ['baseline'] }),
  ]);
  return [...new Set([...baselines, ...leaders].map((one) => one.id))];
};

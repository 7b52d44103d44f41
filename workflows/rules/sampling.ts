import type { Pool } from '../contracts/campaign.ts';
import type { CampaignSettings } from '../contracts/settings.ts';
import type { Random } from './random.ts';

export interface DrawRequest {
  readonly policy: CampaignSettings['policy'];
  readonly pool: Pool;
  /** Baselines and starts that were recorded; the parents of the cold start. */
  readonly starts: readonly string[];
  /** Candidates started before this one. */
  readonly candidatesStarted: number;
  readonly coldStart: number;
  /** Chance of the random control arm. */
  readonly controlShare: number;
  readonly random: Random;
}
export interface Drawn {
  readonly arm: 'policy' | 'control';
  /** Null when there is nothing to start from. */
  readonly parentId: string | null;
  readonly referenceIds: readonly string[];
}

/** ASI-Arch: parent from ranks 1 to 10, references from 11 to 50 (arXiv 2507.18074, section 3.1). */
const parentRanks = 10;
const referenceRanks = 50;
const numReferences = 4;

/** Parent and references of the next candidate. While the pool is small, references come from whatever ranks below the parent exist. */
export const drawParents = (request: DrawRequest): Drawn => {
  const { policy, pool, starts, random } = request;
  if (random.next() < request.controlShare) return { arm: 'control', parentId: null, referenceIds: [] };
  const ranked = pool.entries.map((entry) => entry.experimentId);
  if (request.candidatesStarted < request.coldStart || ranked.length === 0) {
    const sources = starts.length > 0 ? starts : ranked;
    if (sources.length === 0) return { arm: 'policy', parentId: null, referenceIds: [] };
    const parentId = random.pick(sources);
    return { arm: 'policy', parentId, referenceIds: drawReferences(sources, parentId, random) };
  }
  const parentId =
    policy === 'greedy' ? (ranked[0] ?? null) : random.pick(policy === 'random' ? ranked : ranked.slice(0, parentRanks));
  const below =
    policy === 'asi-arch' && ranked.length >= parentRanks + numReferences ? ranked.slice(parentRanks, referenceRanks) : ranked;
  return { arm: 'policy', parentId, referenceIds: drawReferences(below, parentId, random) };
};

const drawReferences = (from: readonly string[], parentId: string | null, random: Random): string[] =>
  random.shuffle(from.filter((id) => id !== parentId)).slice(0, numReferences);

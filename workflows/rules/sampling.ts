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
  /** Null on the control arm, and where there is nothing to start from. */
  readonly parentId: string | null;
  readonly referenceIds: readonly string[];
}

/** ASI-Arch: parent from ranks 1 to 10, four references from 11 to 50 (arXiv 2507.18074, section 3.1). */
const parentRanks = 10;
const lastRank = 50;
const numReferences = 4;

/**
 * Whom a candidate descends from and what else its researcher is shown.
 *
 * asi-arch: the parent uniformly from ranks 1 to 10, the references from ranks 11 to 50; while the pool is too small for that,
 * missing references are the other top ranks, best first. greedy: rank 1 and the four after it. random: all uniformly from the
 * pool. During the cold start, and while the pool is empty, all uniformly from baselines and starts. The control arm has neither
 * parent nor references, so that the benefit of descent is measured in the same campaign.
 */
export const drawParents = (request: DrawRequest): Drawn => {
  const { policy, pool, starts, random } = request;
  // Drawn first and always, so that the arm of a candidate does not depend on the pool.
  if (random.next() < request.controlShare) return { arm: 'control', parentId: null, referenceIds: [] };
  const ranked = pool.entries.map((entry) => entry.experimentId).slice(0, lastRank);
  const isCold = request.candidatesStarted < request.coldStart || ranked.length === 0;
  if (isCold) return drawUniformly(starts.length > 0 ? starts : ranked, random);
  if (policy === 'random') return drawUniformly(ranked, random);
  if (policy === 'greedy') return withReferences(ranked.slice(0, 1), ranked.slice(1));
  const top = ranked.slice(0, parentRanks);
  const parentId = random.pick(top);
  const lower = random.shuffle(ranked.slice(parentRanks)).slice(0, numReferences);
  return withReferences([parentId], [...lower, ...top.filter((id) => id !== parentId)]);
};

const drawUniformly = (ids: readonly string[], random: Random): Drawn => {
  const shuffled = random.shuffle(ids);
  return withReferences(shuffled.slice(0, 1), shuffled.slice(1));
};

const withReferences = (parent: readonly string[], others: readonly string[]): Drawn => ({
  arm: 'policy',
  parentId: parent[0] ?? null,
  referenceIds: others.slice(0, numReferences),
});

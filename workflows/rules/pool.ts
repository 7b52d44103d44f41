import type { Pool, PoolEntry } from '../contracts/campaign.ts';

/** ASI-Arch keeps the best 50 (arXiv 2507.18074, released code). */
export const poolCapacity = 50;

export interface PoolCandidate {
  readonly experimentId: string;
  readonly number: number;
  /** Null: not judged, never in the pool. */
  readonly fitness: number | null;
  readonly depth: number;
}

/** The next pool: best first, ties by number, the capacity at most. */
export const rebuildPool = (previous: Pool | null, finished: readonly PoolCandidate[]): Pool => ({
  version: (previous?.version ?? 0) + 1,
  entries: finished
    .filter(
      (candidate): candidate is PoolCandidate & { fitness: number } =>
        candidate.fitness !== null && Number.isFinite(candidate.fitness),
    )
    .toSorted((a, b) => b.fitness - a.fitness || a.number - b.number)
    .slice(0, poolCapacity)
    .map(({ experimentId, fitness, depth }): PoolEntry => ({ experimentId, fitness, depth })),
});

/** Whether enough experiments ended since the last rebuild. */
export const poolIsDue = ({ finishedSince, batch }: { readonly finishedSince: number; readonly batch: number }): boolean =>
  finishedSince >= batch;

/** How many of the recorded experiments, best first, tell with the baselines what seeds alone do: the fitter half. */
export const numNoiseRows = (numRecorded: number): number => Math.min(poolCapacity, Math.ceil(numRecorded / 2));

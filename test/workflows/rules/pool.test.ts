import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { poolSchema } from '../../../workflows/contracts/campaign.ts';
import { experimentId } from '../../../workflows/contracts/naming.ts';
import { type PoolCandidate, poolCapacity, poolIsDue, rebuildPool } from '../../../workflows/rules/pool.ts';

const candidate = (number: number, fitness: number | null): PoolCandidate => ({
  experimentId: experimentId('c-test', number),
  number,
  fitness,
  depth: number % 3,
});
const anyFitness = fc.option(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double()), { nil: null });

describe('rebuildPool', () => {
  it('keeps the best of those that have a score, whatever the order they come in', () => {
    fc.assert(
      fc.property(fc.array(anyFitness, { maxLength: 80 }), fc.integer(), (scores, seed) => {
        const finished = scores.map((fitness, index) => candidate(index + 1, fitness));
        const pool = rebuildPool(null, finished);
        if (pool.entries.every(({ fitness }) => Number.isFinite(fitness))) poolSchema.parse(pool);
        const ranked = finished
          .flatMap(({ fitness }) => (fitness !== null && Number.isFinite(fitness) ? [fitness] : []))
          .toSorted((a, b) => b - a);
        expect(pool.entries.map(({ fitness }) => fitness)).toEqual(ranked.slice(0, poolCapacity));
        const turned = finished.toSorted((a, b) => ((a.number * 7919 + seed) % 101) - ((b.number * 7919 + seed) % 101));
        expect(rebuildPool(null, turned)).toEqual(pool);
      }),
    );
  });

  it('ranks equal fitness by number', () => {
    const pool = rebuildPool(null, [candidate(3, 1), candidate(1, 1), candidate(2, 2)]);
    expect(pool.entries.map(({ experimentId: id }) => id.slice(-1))).toEqual(['2', '1', '3']);
  });

  it('follows the version before it, from 1 on', () => {
    const first = rebuildPool(null, []);
    expect(first).toEqual({ version: 1, entries: [] });
    expect(rebuildPool(first, []).version).toBe(2);
  });
});

describe('poolIsDue', () => {
  it('waits for a batch', () => {
    expect(poolIsDue({ finishedSince: 4, batch: 5 })).toBe(false);
    expect(poolIsDue({ finishedSince: 5, batch: 5 })).toBe(true);
  });
});

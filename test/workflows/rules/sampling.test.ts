import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { experimentId } from '../../../workflows/contracts/naming.ts';
import { policyNames } from '../../../workflows/contracts/settings.ts';
import { createRandom } from '../../../workflows/rules/random.ts';
import { type Drawn, type DrawRequest, drawParents } from '../../../workflows/rules/sampling.ts';

const ids = (count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, index) => experimentId('c-test', from + index));
const poolOf = (size: number): DrawRequest['pool'] => ({
  version: 1,
  entries: ids(size, 100).map((id, index) => ({ experimentId: id, fitness: -index, depth: 0 })),
});
const starts = ids(4);
const draw = (part: Partial<DrawRequest> & { readonly seed?: number }): Drawn =>
  drawParents({
    policy: 'asi-arch',
    pool: poolOf(50),
    starts,
    candidatesStarted: 20,
    coldStart: 10,
    controlShare: 0,
    random: createRandom(part.seed ?? 1),
    ...part,
  });
const many = (part: Partial<DrawRequest>, count = 600): Drawn[] =>
  Array.from({ length: count }, (_, seed) => draw({ ...part, seed }));
const rankOf = (id: string | null): number => (id === null ? Number.NaN : Number(id.slice(-4)) - 99);

describe('drawParents', () => {
  it('never names anything twice, or anything outside of pool and starts', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...policyNames),
        fc.nat(60),
        fc.nat(5),
        fc.nat(20),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(),
        (policy, poolSize, numStarts, candidatesStarted, controlShare, seed) => {
          const pool = poolOf(poolSize);
          const drawn = draw({ policy, pool, starts: ids(numStarts), candidatesStarted, controlShare, seed });
          const named = [...(drawn.parentId === null ? [] : [drawn.parentId]), ...drawn.referenceIds];
          expect(new Set(named).size).toBe(named.length);
          expect(drawn.referenceIds.length).toBeLessThanOrEqual(4);
          const known = new Set([...ids(numStarts), ...pool.entries.map((entry) => entry.experimentId)]);
          for (const id of named) expect(known).toContain(id);
          if (drawn.arm === 'control') expect(named).toEqual([]);
          else if (poolSize + numStarts > 0) expect(drawn.parentId).not.toBeNull();
        },
      ),
    );
  });

  it('takes the parent uniformly from ranks 1 to 10 and four references from 11 to 50', () => {
    const drawn = many({});
    for (const { referenceIds } of drawn) {
      expect(referenceIds).toHaveLength(4);
      for (const id of referenceIds) expect(rankOf(id)).toBeGreaterThan(10);
    }
    const parents = Map.groupBy(drawn, ({ parentId }) => rankOf(parentId));
    expect([...parents.keys()].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (const group of parents.values()) expect(Math.abs(group.length / 600 - 0.1)).toBeLessThan(0.05);
    expect(new Set(drawn.flatMap(({ referenceIds }) => referenceIds)).size).toBe(40);
  });

  it('never reaches below rank 50', () => {
    for (const { referenceIds } of many({ pool: poolOf(60) }, 200))
      for (const id of referenceIds) expect(rankOf(id)).toBeLessThanOrEqual(50);
    for (const { parentId } of many({ pool: poolOf(60), policy: 'random' }, 200))
      expect(rankOf(parentId)).toBeLessThanOrEqual(50);
  });

  it('fills missing references with other top ranks while the pool is small', () => {
    for (const { parentId, referenceIds } of many({ pool: poolOf(12) }, 50)) {
      expect(
        referenceIds
          .map(rankOf)
          .slice(0, 2)
          .toSorted((a, b) => a - b),
      ).toEqual([11, 12]);
      expect(referenceIds).toHaveLength(4);
      expect(referenceIds).not.toContain(parentId);
    }
    expect(draw({ pool: poolOf(3) }).referenceIds).toHaveLength(2);
    expect(draw({ pool: poolOf(1) }).referenceIds).toEqual([]);
  });

  it('starts from baselines and starts while it is cold, all of them equally', () => {
    const drawn = many({ candidatesStarted: 9 });
    const parents = Map.groupBy(drawn, ({ parentId }) => parentId);
    expect([...parents.keys()].toSorted()).toEqual(starts);
    for (const group of parents.values()) expect(Math.abs(group.length / 600 - 0.25)).toBeLessThan(0.07);
    expect(many({ candidatesStarted: 10 }, 50).every(({ parentId }) => rankOf(parentId) <= 10)).toBe(true);
  });

  it('uses the pool while it is cold where nothing can be started from', () => {
    expect(ids(50, 100)).toContain(draw({ candidatesStarted: 0, starts: [] }).parentId);
  });

  it('uses baselines and starts where the pool is empty', () => {
    expect(starts).toContain(draw({ pool: poolOf(0) }).parentId);
    expect(draw({ pool: poolOf(0), starts: [] })).toEqual({ arm: 'policy', parentId: null, referenceIds: [] });
  });

  it('takes the best and those after it when greedy', () => {
    const drawn = draw({ policy: 'greedy' });
    expect(rankOf(drawn.parentId)).toBe(1);
    expect(drawn.referenceIds.map(rankOf)).toEqual([2, 3, 4, 5]);
  });

  it('reaches the whole pool when random', () => {
    const ranks = many({ policy: 'random' }, 1500).map(({ parentId }) => rankOf(parentId));
    expect(new Set(ranks).size).toBe(50);
  });

  it('gives the control arm its share, whatever the pool holds', () => {
    const drawn = many({ controlShare: 0.2 }, 1500);
    expect(Math.abs(drawn.filter(({ arm }) => arm === 'control').length / 1500 - 0.2)).toBeLessThan(0.04);
    const other = many({ controlShare: 0.2, pool: poolOf(2), candidatesStarted: 0 }, 1500);
    expect(other.map(({ arm }) => arm)).toEqual(drawn.map(({ arm }) => arm));
    expect(many({ controlShare: 1 }, 20).every(({ arm }) => arm === 'control')).toBe(true);
    expect(many({ controlShare: 0 }, 200).every(({ arm }) => arm === 'policy')).toBe(true);
  });
});

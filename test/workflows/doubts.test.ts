import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Loop, startLoop } from '../support/loop.ts';
import { LeakFindingHost, type PlantedGain, PlantingJudge, runTiny } from '../support/planted-campaign.ts';

/** Bits per byte that candidates gain over the baselines, by campaign, on the champion set and on the others. */
const gains: Readonly<Record<string, PlantedGain>> = {
  'c-plain': { champion: 0.1, others: 0.1 },
  'c-good-and-true': { champion: 1.5, others: 1.5 },
  'c-good-on-search': { champion: 0.1, others: 1.5 },
  'c-good-by-a-leak': { champion: 1.5, others: 1.5 },
};
let loop: Loop;
beforeAll(async () => {
  loop = await startLoop({
    judge: new PlantingJudge(gains, 0.005),
    host: new LeakFindingHost({ 'c-good-by-a-leak': 300 }, gains),
  });
}, 120_000);
afterAll(async () => {
  await loop?.stop();
}, 60_000);

/** A tiny campaign of two candidates, and what the record says of them. */
const campaign = async (workflowId: string) => {
  const result = await runTiny(loop, workflowId, { experiments: 2 });
  const candidates = await loop.archive.listExperiments(workflowId, { kinds: ['candidate'] });
  const audits = await Promise.all(candidates.map(({ id }) => loop.archive.listAudits(id)));
  const pool = await loop.archive.getPool(workflowId);
  return { result, candidates, cuts: audits.map((rows) => rows.map(({ cuts }) => cuts)), pool };
};

describe('a candidate whose result is too good', { timeout: 120_000 }, () => {
  it('is none that gains as others do', async () => {
    const { candidates } = await campaign('c-plain');
    expect(candidates.map(({ state, doubts }) => ({ state, doubts }))).toEqual(
      candidates.map(() => ({ state: 'recorded', doubts: undefined })),
    );
  });

  it('counts after the deepest gates and fresh data have said the same, and the record says so', async () => {
    const { candidates, cuts, result } = await campaign('c-good-and-true');
    for (const { state, doubts } of candidates) {
      expect(state).toBe('recorded');
      expect(doubts).toEqual([
        expect.objectContaining({ metric: 'bits-per-byte', outcome: 'held', reason: expect.stringContaining('best baseline') }),
      ]);
    }
    for (const depths of cuts) expect(depths).toContain(300);
    expect(result.verdict).toBe('better');
  });

  it('is nobody’s parent and no finalist where fresh data do not have the gain', async () => {
    const { candidates, pool, result } = await campaign('c-good-on-search');
    for (const { state, failure, doubts } of candidates) {
      expect(state).toBe('failed');
      expect(failure?.label).toBe('integrity');
      expect(failure?.detail).toContain('on data that nothing had seen');
      expect(doubts?.[0]?.outcome).toBe('fell');
    }
    const ids = candidates.map(({ id }) => id);
    expect(pool?.entries.filter(({ experimentId }) => ids.includes(experimentId)) ?? []).toEqual([]);
    expect(result).toMatchObject({ verdict: 'nothing-found', finalists: [] });
  });

  it('falls by the gate that the audit found broken', async () => {
    const { candidates, result } = await campaign('c-good-by-a-leak');
    for (const { state, failure } of candidates)
      expect({ state, label: failure?.label }).toEqual({ state: 'failed', label: 'gate' });
    expect(result.finalists).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { rungs } from '../../../workflows/contracts/rung.ts';
import type { Metric } from '../../../workflows/contracts/score.ts';
import { holdsUp, implausible, type ScoresByMetric } from '../../../workflows/rules/plausibility.ts';

const scores =
  (values: Partial<Record<Metric, readonly number[]>>): ScoresByMetric =>
  (metric) =>
    new Map((values[metric] ?? []).map((value, seed) => [seed, value]));
const plain = { 'bits-per-byte': [3, 3.1], 'recall-auc': [2, 2.1], 'recall-accuracy': [0.3, 0.3] } as const;
const noise = [{ metric: 'bits-per-byte', pairedSd: 0.01, degreesOfFreedom: 3, minimumDetectable: 0.03 }] as const;

const judge = (candidate: Partial<Record<Metric, readonly number[]>>, pairedSd = 0.01, baseline = plain as typeof candidate) =>
  implausible({
    rung: rungs.quick,
    candidate: scores({ ...plain, ...candidate }),
    baselines: [
      { name: 'deltanet', scores: scores({ ...plain, 'bits-per-byte': [3.5, 3.6] }) },
      { name: 'kda', scores: scores(baseline) },
    ],
    noise: [{ ...noise[0], pairedSd }],
  });

describe('implausible', () => {
  it('says nothing of what is as good as the best baseline, or somewhat better', () => {
    expect(judge({})).toEqual([]);
    expect(judge({ 'bits-per-byte': [2.82, 2.92], 'recall-auc': [1.6, 1.7] })).toEqual([]);
  });

  it('is measured from the best baseline, in noise floors, and names it', () => {
    const better = { 'bits-per-byte': [2.7, 2.8] };
    expect(judge(better)).toEqual([
      { metric: 'bits-per-byte', reason: expect.stringContaining('0.3000 lower than that of the best baseline, kda') },
    ]);
    expect(judge(better, 0.05)).toEqual([]);
  });

  it.each([
    ['recall-auc', [1.4, 1.5], 'lower'],
    ['recall-accuracy', [0.9, 0.9], 'higher'],
  ] as const)('watches %s too', (metric, values, word) => {
    expect(judge({ [metric]: values })).toEqual([{ metric, reason: expect.stringContaining(word) }]);
  });

  it('has a floor of bits a byte, on any seed, unless a baseline passes it too', () => {
    const reasons = judge({ 'bits-per-byte': [0.95, 3] }, 1).map(({ reason }) => reason);
    expect(reasons).toEqual([expect.stringContaining('0.9500 lies below 1.0000')]);
    expect(judge({ 'bits-per-byte': [0.95, 0.95] }, 1, { ...plain, 'bits-per-byte': [0.97, 0.98] })).toEqual([]);
  });

  it('has a floor of recall that the curriculum sets: no early snapshot knows what was not trained on', () => {
    // One of five snapshots of `quick` is early: half of ln 16 over five.
    const floor = (0.5 * Math.log(16)) / 5;
    const close = { ...plain, 'recall-auc': [0.5, 0.5] } as const;
    const at = (value: number) => judge({ 'recall-auc': [value, 0.5] }, 0.01, close);
    expect(at(floor - 0.01)).toEqual([{ metric: 'recall-auc', reason: expect.stringContaining('lies below 0.2773') }]);
    expect(at(floor + 0.01)).toEqual([]);
  });

  it('compares on common seeds alone, and says nothing where there are none', () => {
    expect(implausible({ rung: rungs.quick, candidate: scores({ 'bits-per-byte': [1.5] }), baselines: [], noise: [] })).toEqual(
      [],
    );
  });
});

describe('holdsUp', () => {
  const look = (candidate: number, reference: number) => ({
    candidate: new Map([[1, candidate]]),
    reference: new Map([[1, reference]]),
  });
  const metric = 'bits-per-byte';

  it('asks that half of the gain is there on fresh data', () => {
    expect(holdsUp({ metric, search: look(2, 3), champion: look(2.6, 3.2) })?.held).toBe(true);
    expect(holdsUp({ metric, search: look(2, 3), champion: look(2.8, 3.2) })?.held).toBe(false);
  });

  it('tells both gains', () => {
    expect(holdsUp({ metric, search: look(2, 3), champion: look(2.8, 3.2) })?.detail).toContain('1.0000 in bits-per-byte');
    expect(holdsUp({ metric, search: look(2, 3), champion: look(2.8, 3.2) })?.detail).toContain('0.4000 on data');
  });

  it('says nothing where a score is missing', () => {
    expect(holdsUp({ metric, search: look(2, 3), champion: { candidate: new Map(), reference: new Map([[1, 3]]) } })).toBeNull();
  });
});

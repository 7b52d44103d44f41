import { describe, expect, it } from 'vitest';
import { type Verdict, verdictSchema } from '../../../workflows/contracts/experiment.ts';
import { confirmOnChampion } from '../../../workflows/rules/champion.ts';

const metric = 'bits-per-byte';
const onSeeds = (...values: readonly number[]): ReadonlyMap<number, number> =>
  new Map(values.map((value, index) => [1001 + index, value]));
const better: Verdict = {
  verdict: 'better',
  against: 'kda',
  effect: { metric, mean: 0.05, low: 0.02, high: 0.08, seeds: 3, method: 'paired t' },
  statement: 'Better than kda, in bits-per-byte.',
};
const kda = { name: 'kda', values: onSeeds(2, 2, 2) };
const on = (candidate: ReadonlyMap<number, number>, part: object = {}): Verdict =>
  verdictSchema.parse(
    confirmOnChampion({
      metric,
      verdict: better,
      candidate,
      baselines: [kda],
      noise: { squares: 9e-4, degreesOfFreedom: 9 },
      ...part,
    }),
  );

describe('confirmOnChampion', () => {
  it('keeps a better that holds again, and says so', () => {
    const verdict = on(onSeeds(1.95, 1.96, 1.94));
    expect(verdict).toMatchObject({ verdict: 'better', effect: better.effect });
    expect(verdict.statement).toBe('Better than kda, in bits-per-byte. It held on the champion set: +0.0500 at least.');
  });

  it.each([
    ['a smaller gain whose interval holds zero', onSeeds(1.995, 2.0, 1.99)],
    ['a gain of the other sign', onSeeds(2.05, 2.06, 2.04)],
  ])('takes it back on %s', (_, candidate) => {
    const verdict = on(candidate);
    expect(verdict).toMatchObject({ verdict: 'not-distinguishable', against: 'kda' });
    expect(verdict.effect.mean).not.toBe(better.effect.mean);
    expect(verdict.statement).toMatch(
      /^Not distinguishable after the champion set: against kda .* On the promotion set it was better/,
    );
  });

  it('asks that every baseline be beaten again', () => {
    const strong = { name: 'gla', values: onSeeds(1.9, 1.9, 1.9) };
    expect(on(onSeeds(1.95, 1.96, 1.94), { baselines: [kda, strong] })).toMatchObject({
      verdict: 'not-distinguishable',
      against: 'gla',
    });
  });

  it('takes it back where it could not be compared', () => {
    expect(on(new Map()).statement).toContain('could not be compared with kda on the champion set');
    expect(on(onSeeds(1.9), { baselines: [] })).toMatchObject({ verdict: 'not-distinguishable' });
  });

  it('makes nothing better that was not', () => {
    const unclear: Verdict = { ...better, verdict: 'not-distinguishable' };
    expect(on(onSeeds(1.5, 1.5, 1.5), { verdict: unclear })).toEqual(unclear);
  });
});

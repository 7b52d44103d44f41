import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, type Random } from '../../../workflows/rules/random.ts';
import { confirmationDesign } from '../../../workflows/rules/sequential-design.ts';
import { residualSpread, type Spread } from '../../../workflows/rules/spread.ts';
import { heldAgainst } from '../../../workflows/rules/unequal-spread.ts';
import { judgeFinalist } from '../../../workflows/rules/verdict.ts';

const spread = (variance: number, degreesOfFreedom: number): Spread => ({
  squares: variance * degreesOfFreedom,
  degreesOfFreedom,
});

describe('heldAgainst', () => {
  it('is the formula of Satterthwaite for equal spreads', () => {
    // Half of the variance has 12 degrees, half 3: 1 / (0.25 / 12 + 0.25 / 3) = 9.6.
    const held = heldAgainst(spread(1, 3), spread(1, 12));
    expect(held?.variance).toBeCloseTo(1, 12);
    expect(held?.degreesOfFreedom).toBeCloseTo(9.6, 12);
  });

  it('has the own degrees where the candidate is the noise, and never more than all', () => {
    expect(heldAgainst(spread(1e6, 3), spread(1, 12))?.degreesOfFreedom).toBe(3);
    const part = fc.tuple(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), fc.integer({ min: 1, max: 60 }));
    fc.assert(
      fc.property(part, part, ([own, d], [floor, m]) => {
        const held = heldAgainst(spread(own, d), spread(floor, m));
        expect(held?.variance).toBeGreaterThanOrEqual(own * (1 - 1e-12));
        expect(held?.degreesOfFreedom).toBeGreaterThanOrEqual(Math.min(d, m) * (1 - 1e-9));
        expect(held?.degreesOfFreedom).toBeLessThanOrEqual(d + m);
      }),
    );
  });

  it('takes what there is', () => {
    expect(heldAgainst(spread(2, 3), null)).toEqual({ variance: 2, degreesOfFreedom: 3 });
    expect(heldAgainst(spread(0, 0), spread(2, 3))).toEqual({ variance: 2, degreesOfFreedom: 3 });
    expect(heldAgainst(spread(0, 0), null)).toBeNull();
    expect(heldAgainst(spread(0, 2), spread(0, 3))).toEqual({ variance: 0, degreesOfFreedom: 5 });
  });
});

const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

/** Share of finalists called better that are as good as their baseline, and spread so many times as far over seeds. */
const calledBetter = (times: number, finalists: number, rounds: number): number => {
  const random = createRandom(`spread ${times}`);
  const design = confirmationDesign({ confirmSeeds: 3, confirmSeedsMax: 4, finalists });
  const explore: readonly number[] = [1, 2];
  const fresh: readonly number[] = [1001, 1002, 1003, 1004];
  let better = 0;
  for (let round = 0; round < rounds; round++) {
    const run = (seeds: readonly number[], sd = 1) => new Map(seeds.map((seed) => [seed, sd * normal(random)]));
    const others = Array.from({ length: 12 }, () => run(explore));
    const baseline = { name: 'kda', values: run(fresh), explored: run(explore) };
    const [candidate, explored] = [run(fresh, times), run(explore, times)];
    const noise = residualSpread([explored, baseline.explored, ...others], explore);
    const isBetter = design.looks.some((upTo, look) => {
      const seeds = fresh.slice(0, upTo);
      const cut = new Map([...candidate].filter(([seed]) => seeds.includes(seed)));
      const input = {
        metric: 'bits-per-byte',
        candidate: cut,
        explored,
        baselines: [baseline],
        noise,
        design,
        look,
        seeds,
      } as const;
      return judgeFinalist(input)?.verdict === 'better';
    });
    if (isBetter) better += 1;
  }
  return better / rounds;
};

describe('finalists that are noisier than their baseline and no better', () => {
  it.each([
    [2, 1],
    [2, 2],
    [2, 4],
    [2, 8],
    [4, 3],
    [8, 4],
    [16, 4],
  ])('%d of them that spread %d times as far: at most one campaign of twenty says better', (finalists, times) => {
    expect(finalists * calledBetter(times, finalists, 6000)).toBeLessThanOrEqual(0.05);
  });
});

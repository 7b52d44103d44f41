import { describe, expect, it } from 'vitest';
import { type ConfirmationInput, hopeOfBetter, walkConfirmation } from '../../../workflows/rules/confirmation.ts';
import { createRandom, type Random } from '../../../workflows/rules/random.ts';
import { confidenceAt, confirmationDesign } from '../../../workflows/rules/sequential-design.ts';
import { residualSpread, type Spread } from '../../../workflows/rules/spread.ts';

const metric = 'bits-per-byte';
const design = confirmationDesign({ confirmSeeds: 3, confirmSeedsMax: 5, finalists: 2 });
const seeds = [1001, 1002, 1003, 1004, 1005];
const noise: Spread = { squares: 9 * 0.01 ** 2, degreesOfFreedom: 9 };
const onSeeds = (...values: readonly number[]): ReadonlyMap<number, number> =>
  new Map(values.map((value, index) => [1001 + index, value]));
const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
const start: ConfirmationInput = {
  metric,
  design,
  seeds,
  numTried: 3,
  noise,
  candidate: onSeeds(2, 2, 2, 2, 2),
  baselines: [{ name: 'kda', values: onSeeds(2, 2, 2, 2, 2) }],
};
/** Beside a baseline at 2 on every seed. */
const walk = (candidate: ReadonlyMap<number, number>, part: Partial<ConfirmationInput> = {}) =>
  walkConfirmation({ ...start, candidate, ...part });

describe('confirmationDesign', () => {
  it('looks at the first seeds, then at most three times more, up to the last', () => {
    const looks = (confirmSeeds: number, confirmSeedsMax: number) =>
      confirmationDesign({ confirmSeeds, confirmSeedsMax, finalists: 2 }).looks;
    expect(looks(3, 3)).toEqual([3]);
    expect(looks(3, 4)).toEqual([3, 4]);
    expect(looks(5, 10)).toEqual([5, 7, 8, 10]);
    expect(looks(2, 32)).toEqual([2, 12, 22, 32]);
    expect(looks(6, 4)).toEqual([6]);
  });

  it('is stricter for more finalists and more looks', () => {
    const first = (confirmSeedsMax: number, finalists: number) =>
      confidenceAt(confirmationDesign({ confirmSeeds: 3, confirmSeedsMax, finalists }), 0);
    expect(first(3, 1)).toBeCloseTo(0.95, 10);
    expect(first(3, 4)).toBeCloseTo(1 - 0.05 / 4, 10);
    expect(first(6, 4)).toBeGreaterThan(first(3, 4));
  });
});

describe('walkConfirmation', () => {
  it('asks for the first look before anything was tried', () => {
    expect(walk(new Map(), { numTried: 0 })).toMatchObject({ verdict: null, nextSeeds: [1001, 1002, 1003] });
  });

  it('stops at the first look where that is clear, for good or bad', () => {
    expect(walk(onSeeds(1.9, 1.9, 1.9))).toMatchObject({ verdict: { verdict: 'better' }, nextSeeds: [] });
    expect(walk(onSeeds(2.1, 2.1, 2.1))).toMatchObject({ verdict: { verdict: 'worse' }, nextSeeds: [] });
  });

  it('adds seeds where they may change the verdict, and takes the later look then', () => {
    const close = onSeeds(1.995, 1.98, 1.985);
    expect(walk(close)).toMatchObject({ verdict: { verdict: 'not-distinguishable' }, nextSeeds: [1004] });
    const later = onSeeds(1.995, 1.98, 1.985, 1.975);
    expect(walk(later, { numTried: 4 })).toMatchObject({ verdict: { verdict: 'better', effect: { seeds: 4 } }, nextSeeds: [] });
    const spent = onSeeds(1.995, 1.98, 1.985, 1.995, 1.985);
    expect(walk(spent, { numTried: 5 })).toMatchObject({ nextSeeds: [], verdict: { effect: { seeds: 5 } } });
  });

  it('stops without hope', () => {
    const { nextSeeds, reason } = walk(onSeeds(2.01, 1.99, 2.0));
    expect(nextSeeds).toEqual([]);
    expect(reason).toMatch(/more seeds would make it better with a chance of 0\.0\d only/);
  });

  it('does not see seeds of later looks at an earlier one', () => {
    const clear = onSeeds(1.9, 1.9, 1.9, 2.5, 2.5);
    expect(walk(clear, { numTried: 5 })).toEqual(walk(onSeeds(1.9, 1.9, 1.9)));
  });

  it('adds no seed to one that did not survive a seed before', () => {
    expect(walk(onSeeds(1.99, 1.98))).toMatchObject({ nextSeeds: [], reason: 'it did not survive every fresh seed' });
    const lost = walk(onSeeds(1.995, 1.98, 1.985), { numTried: 4 });
    expect(lost.verdict).toMatchObject({ verdict: 'not-distinguishable' });
    expect(lost.verdict?.statement).toContain('no score on 1 of its 4 fresh seeds');
  });

  it('says nothing where there is nothing to compare', () => {
    expect(walk(onSeeds(2), { baselines: [] })).toMatchObject({ verdict: null, nextSeeds: [] });
  });
});

describe('hopeOfBetter', () => {
  const atFirstLook = { ...start, look: 0, seeds: seeds.slice(0, 3) };

  it('rises with the gain and is that of the closest baseline', () => {
    const hopes = [0, 0.004, 0.008, 0.015].map((gain) =>
      hopeOfBetter({ ...atFirstLook, candidate: onSeeds(2 - gain, 2 - gain, 2 - gain) }),
    );
    expect(hopes).toEqual(hopes.toSorted((a, b) => a - b));
    const both = [...start.baselines, { name: 'gla', values: onSeeds(1.9, 1.9, 1.9) }];
    expect(hopeOfBetter({ ...atFirstLook, candidate: onSeeds(1.98, 1.98, 1.98), baselines: both })).toBeLessThan(0.01);
  });

  it('is about the share of cases in which the seeds to come make it better', () => {
    const random = createRandom('hope');
    const candidate = onSeeds(1.985, 1.975, 1.995);
    const hope = hopeOfBetter({ ...atFirstLook, candidate });
    const rounds = 1500;
    let better = 0;
    for (let round = 0; round < rounds; round++) {
      const gain = 0.015 + (0.01 / Math.sqrt(3)) * normal(random);
      const more = new Map([...candidate, ...[1004, 1005].map((seed) => [seed, 2 - gain + 0.01 * normal(random)] as const)]);
      better += walk(more, { numTried: 5 }).verdict?.verdict === 'better' ? 1 : 0;
    }
    expect(Math.abs(better / rounds - hope)).toBeLessThan(0.15);
  });
});

/** A whole campaign: twelve candidates that gain `gain`, the luckiest two confirmed look by look. True where any is called better. */
const campaign = ({ random, candidateSd, gain }: { random: Random; candidateSd: number; gain: number }): boolean => {
  const runs = (centre: number, sd: number, effects: ReadonlyMap<number, number>) =>
    new Map([...effects].map(([seed, effect]) => [seed, centre + effect + sd * normal(random)]));
  const seedEffects = (of: readonly number[]) => new Map(of.map((seed) => [seed, 0.05 * normal(random)]));
  const explore = seedEffects([1, 2]);
  const fresh = seedEffects(seeds);
  const centres = [2.5, 2.5, 2.7, 2.8];
  const total = (values: ReadonlyMap<number, number>): number => [...values.values()].reduce((sum, value) => sum + value, 0);
  const lucky = Array.from({ length: 12 }, () => runs(2.5 - gain, candidateSd, explore)).toSorted((a, b) => total(a) - total(b));
  const exploring = residualSpread([...centres.map((centre) => runs(centre, 0.01, explore)), ...lucky.slice(0, 6)], [1, 2]);
  const baselines = ['deltanet', 'kda'].map((name) => ({ name, values: runs(2.5, 0.01, fresh) }));
  const finalists = [0, 1].map(() => runs(2.5 - gain, candidateSd, fresh));
  return finalists.some((candidate) => {
    for (let numTried = 3; ; numTried += 1) {
      const { verdict, nextSeeds } = walkConfirmation({ ...start, candidate, baselines, noise: exploring, numTried });
      if (nextSeeds.length === 0) return verdict?.verdict === 'better';
    }
  });
};

describe('a campaign that adds seeds', () => {
  it.each([0.01, 0.02])(
    'says better without a true gain at most one time in twenty, candidates having a deviation of %s',
    (sd) => {
      const random = createRandom(`null campaigns ${sd}`);
      const campaigns = 600;
      const fooled = Array.from({ length: campaigns }, () => campaign({ random, candidateSd: sd, gain: 0 })).filter(
        Boolean,
      ).length;
      expect(fooled / campaigns).toBeLessThanOrEqual(0.05);
    },
  );

  it('finds a true gain of three paired deviations nearly always', () => {
    const random = createRandom('true campaigns');
    const found = Array.from({ length: 200 }, () => campaign({ random, candidateSd: 0.01, gain: 3 * Math.SQRT2 * 0.01 })).filter(
      Boolean,
    ).length;
    expect(found / 200).toBeGreaterThan(0.95);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NoiseFloor } from '../../../workflows/contracts/campaign.ts';
import { lowerIsBetter, metrics } from '../../../workflows/contracts/score.ts';
import { detectableGain } from '../../../workflows/rules/detectable.ts';
import { createRandom, type Random } from '../../../workflows/rules/random.ts';
import { confirmationDesign } from '../../../workflows/rules/sequential-design.ts';
import { mean, median, noiseFloor, pairedDifferences, pairedEffect } from '../../../workflows/rules/statistics.ts';
import { tQuantile } from '../../../workflows/rules/student-t.ts';

const bySeed = (...values: readonly number[]): ReadonlyMap<number, number> =>
  new Map(values.map((value, index) => [index + 1, value]));
const metric = 'bits-per-byte';
const noise: NoiseFloor = { metric, pairedSd: 0.02, degreesOfFreedom: 3, minimumDetectable: 0.05 };
const design = confirmationDesign({ confirmSeeds: 3, confirmSeedsMax: 3, finalists: 1 });
const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

describe('pairedDifferences', () => {
  it.each(metrics)('is positive for the better one in %s', (name) => {
    const [better, worse] = lowerIsBetter[name] ? [1, 2] : [2, 1];
    expect(pairedDifferences({ metric: name, candidate: bySeed(better), reference: bySeed(worse) })).toEqual([1]);
  });

  it('uses common seeds only, by rising seed', () => {
    const candidate = new Map([
      [9, 1],
      [2, 3],
      [4, 5],
    ]);
    const reference = new Map([
      [4, 6],
      [9, 3],
      [7, 1],
    ]);
    expect(pairedDifferences({ metric, candidate, reference })).toEqual([1, 2]);
  });
});

describe('pairedEffect', () => {
  it('is the textbook paired t without a noise floor', () => {
    // Differences 0.1, 0.2, 0.3: mean 0.2, sd 0.1, t(0.975; 2) = 4.302653.
    const effect = pairedEffect({ metric, candidate: bySeed(2, 2, 2), reference: bySeed(2.1, 2.2, 2.3) });
    expect(effect?.mean).toBeCloseTo(0.2, 12);
    expect(effect?.low).toBeCloseTo(0.2 - (4.30265273 * 0.1) / Math.sqrt(3), 8);
    expect(effect?.high).toBeCloseTo(0.2 + (4.30265273 * 0.1) / Math.sqrt(3), 8);
    expect(effect).toMatchObject({ metric, seeds: 3, method: 'paired t on 3 common seeds, 2 df, 95 %' });
  });

  it('pools the variance with the noise floor and gains its degrees', () => {
    const effect = pairedEffect({ metric, candidate: bySeed(2, 2), reference: bySeed(2.1, 2.11), noise });
    const pooled = (0.00005 + 3 * 0.0004) / 4;
    // Half of the floor is the baseline's, by three degrees; what is left over is the candidate's, by one.
    const degrees = pooled ** 2 / (0.0002 ** 2 / 3 + (pooled - 0.0002) ** 2 / 1);
    expect((effect?.high ?? 0) - (effect?.mean ?? 0)).toBeCloseTo(tQuantile(0.975, degrees) * Math.sqrt(pooled / 2), 10);
    expect(effect?.method).toBe('paired t on 2 common seeds, variance pooled with the noise floor, 3.8 df, 95 %');
  });

  it('takes the own variance with about its own degrees where the candidate is noisier than the floor', () => {
    const quiet = { ...noise, pairedSd: 0.001 };
    const effect = pairedEffect({ metric, candidate: bySeed(2, 2), reference: bySeed(2.1, 2.3), noise: quiet });
    const half = (effect?.high ?? 0) - (effect?.mean ?? 0);
    expect(half / (tQuantile(0.975, 1) * Math.sqrt(0.02 / 2))).toBeCloseTo(1, 3);
    expect(effect?.method).toContain(', 1 df, ');
  });

  it('knows the candidate better by how the pair spread on other seeds', () => {
    const input = { metric, candidate: bySeed(2, 2), reference: bySeed(2.1, 2.11), noise } as const;
    const width = (before: { squares: number; degreesOfFreedom: number } | null) => {
      const effect = pairedEffect({ ...input, before });
      return (effect?.high ?? 0) - (effect?.low ?? 0);
    };
    expect(width({ squares: 0.04, degreesOfFreedom: 1 })).toBeGreaterThan(3 * width(null));
    expect(width({ squares: 0.0004, degreesOfFreedom: 1 })).toBeLessThan(width(null));
    expect(width({ squares: 0, degreesOfFreedom: 0 })).toBe(width(null));
  });

  it('says something of one seed only with a noise floor', () => {
    const one = { metric, candidate: bySeed(2), reference: bySeed(2.1) } as const;
    expect(pairedEffect(one)).toBeNull();
    expect(pairedEffect({ ...one, noise: { ...noise, degreesOfFreedom: 0 } })).toBeNull();
    const effect = pairedEffect({ ...one, noise });
    expect((effect?.high ?? 0) - (effect?.mean ?? 0)).toBeCloseTo(tQuantile(0.975, 3) * 0.02, 10);
    expect(effect?.method).toBe('paired t on 1 common seed, variance of the noise floor, 3 df, 95 %');
  });

  it('says nothing without a common seed or with a value that is not finite', () => {
    expect(pairedEffect({ metric, candidate: bySeed(2), reference: new Map([[5, 2]]), noise })).toBeNull();
    expect(pairedEffect({ metric, candidate: bySeed(2, Number.NaN), reference: bySeed(2, 2), noise })).toBeNull();
    expect(pairedEffect({ metric, candidate: bySeed(2, 2), reference: bySeed(2, Number.POSITIVE_INFINITY), noise })).toBeNull();
  });

  it('holds its mean and widens with the confidence', () => {
    const value = fc.double({ min: 0.1, max: 9, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 6 }), (pairs) => {
        const input = {
          metric,
          candidate: bySeed(...pairs.map(([a]) => a)),
          reference: bySeed(...pairs.map(([, b]) => b)),
          noise,
        } as const;
        const wide = pairedEffect({ ...input, confidence: 0.99 });
        const narrow = pairedEffect({ ...input, confidence: 0.9 });
        if (wide === null || narrow === null) throw new Error('two common seeds give an effect');
        expect(wide.low).toBeLessThan(narrow.low);
        expect(narrow.low).toBeLessThan(narrow.mean);
        expect(narrow.mean).toBeLessThan(narrow.high);
        expect(narrow.high).toBeLessThan(wide.high);
        const reversed = pairedEffect({ ...input, candidate: input.reference, reference: input.candidate, confidence: 0.9 });
        expect(reversed?.mean).toBeCloseTo(-narrow.mean, 10);
        expect(reversed?.low).toBeCloseTo(-narrow.high, 10);
      }),
    );
  });

  it('covers the true difference as often as it says, with two to five seeds, equal and unequal noise', () => {
    const random = createRandom('coverage');
    for (const [numSeeds, candidateSd] of [
      [2, 0.01],
      [3, 0.01],
      [5, 0.01],
      [3, 0.025],
      [3, 0.05],
    ] as const) {
      let covered = 0;
      const rounds = 1500;
      for (let round = 0; round < rounds; round++) {
        const seedEffects = Array.from({ length: numSeeds }, () => 0.1 * normal(random));
        const draw = (centre: number, sd: number) =>
          bySeed(...seedEffects.map((effect) => centre + effect + sd * normal(random)));
        const squares = Array.from({ length: 3 }, () => 2 * 0.01 ** 2 * normal(random) ** 2);
        const floor = { ...noise, pairedSd: Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / 3) };
        const effect = pairedEffect({ metric, candidate: draw(1.95, candidateSd), reference: draw(2, 0.01), noise: floor });
        if (effect !== null && effect.low <= 0.05 && effect.high >= 0.05) covered += 1;
      }
      expect(covered / rounds).toBeGreaterThan(candidateSd > 0.01 ? 0.9 : 0.94);
    }
  });

  it('covers as often with the heavy tails of t with three degrees', () => {
    const random = createRandom('heavy tails');
    const heavy = () => normal(random) / Math.sqrt((normal(random) ** 2 + normal(random) ** 2 + normal(random) ** 2) / 3);
    for (const numSeeds of [2, 3, 5]) {
      let covered = 0;
      const rounds = 1500;
      for (let round = 0; round < rounds; round++) {
        const squares = Array.from({ length: 3 }, () => (heavy() - heavy()) ** 2);
        const floor = { ...noise, pairedSd: Math.sqrt(mean(squares)) };
        const draw = (centre: number) => bySeed(...Array.from({ length: numSeeds }, () => centre + heavy()));
        const effect = pairedEffect({ metric, candidate: draw(1), reference: draw(2), noise: floor });
        if (effect !== null && effect.low <= 1 && effect.high >= 1) covered += 1;
      }
      expect(covered / rounds).toBeGreaterThan(0.94);
    }
  });

  it.each([0, 1, 1.2, Number.NaN])('refuses the confidence %s', (confidence) => {
    expect(() => pairedEffect({ metric, candidate: bySeed(1, 2), reference: bySeed(1, 2), confidence })).toThrow(RangeError);
  });
});

describe('noiseFloor', () => {
  it('is the two-way residual after architecture and seed effects', () => {
    // Residuals of this table are ±0.01: sum of squares 4e-4, one degree of freedom.
    const baselines = new Map([
      ['deltanet', bySeed(2.0, 2.1)],
      ['kda', bySeed(1.5, 1.64)],
    ]);
    const floor = noiseFloor({ metric, baselines, design, exploreSeeds: 2 });
    expect(floor?.degreesOfFreedom).toBe(1);
    expect(floor?.pairedSd).toBeCloseTo(Math.sqrt(2 * 4e-4), 10);
    expect(floor?.minimumDetectable).toBeGreaterThan((tQuantile(0.975, 3) * Math.sqrt(8e-4)) / Math.sqrt(3));
  });

  it('does not move with the level of an architecture or of a seed', () => {
    const cell = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 2, maxLength: 5 }), cell, cell, (rows, level, shift) => {
        const floorOf = (table: readonly (readonly number[])[]) =>
          noiseFloor({
            metric,
            baselines: new Map(table.map((row, index) => [`b${index}`, bySeed(...row)])),
            design,
            exploreSeeds: 2,
          })?.pairedSd ?? Number.NaN;
        const moved = rows.map((row, index) =>
          row.map((value, seed) => value + (index === 0 ? level : 0) + (seed === 1 ? shift : 0)),
        );
        expect(floorOf(moved)).toBeCloseTo(floorOf(rows), 8);
      }),
    );
  });

  it('estimates the deviation of a difference without bias in its square', () => {
    const random = createRandom('floor');
    const floors = Array.from({ length: 800 }, () => {
      const effects = [0.1 * normal(random), 0.1 * normal(random)];
      const row = (centre: number) => bySeed(...effects.map((effect) => centre + effect + 0.01 * normal(random)));
      return noiseFloor({
        metric,
        baselines: new Map([2, 2.4, 1.8, 2.2].map((centre) => [String(centre), row(centre)])),
        design,
        exploreSeeds: 2,
      });
    });
    expect(floors.every((floor) => floor?.degreesOfFreedom === 3)).toBe(true);
    expect(mean(floors.map((floor) => (floor?.pairedSd ?? 0) ** 2)) / (2 * 0.01 ** 2)).toBeCloseTo(1, 0.9);
  });

  it.each([
    [2, 1, 1],
    [3, 3, 2],
    [5, 16, 4],
  ])(
    'finds a gain of the minimum nine times in ten with %s seeds, %s degrees and %s finalists',
    (numSeeds, floorDegrees, numFinalists) => {
      const random = createRandom('power');
      const confidence = 1 - 0.05 / numFinalists;
      const single = confirmationDesign({ confirmSeeds: numSeeds, confirmSeedsMax: numSeeds, finalists: numFinalists });
      const gain = detectableGain({ design: single, floorDegrees, exploreSeeds: 1 });
      const rounds = 1500;
      let found = 0;
      for (let round = 0; round < rounds; round++) {
        const squares = Array.from({ length: floorDegrees }, () => normal(random) ** 2);
        const floor = { ...noise, pairedSd: Math.sqrt(mean(squares)), degreesOfFreedom: floorDegrees };
        const reference = bySeed(...Array.from({ length: numSeeds }, () => 0));
        const candidate = bySeed(...Array.from({ length: numSeeds }, () => -gain + normal(random)));
        const effect = pairedEffect({ metric, candidate, reference, noise: floor, confidence });
        if (effect !== null && effect.low > 0) found += 1;
      }
      expect(found / rounds).toBeGreaterThan(0.87);
      expect(found / rounds).toBeLessThan(0.93);
    },
  );

  it('has a minimum for a single confirming seed too', () => {
    const gain = detectableGain({ design: { looks: [1], levels: [0.025], numFinalists: 1 }, floorDegrees: 3, exploreSeeds: 1 });
    expect(gain).toBeGreaterThan(tQuantile(0.975, 3));
    expect(gain).toBeLessThan(3 * tQuantile(0.975, 3));
  });

  it('asks for more where finalists share the error', () => {
    const baselines = new Map([
      ['a', bySeed(1, 1.1)],
      ['b', bySeed(1, 1.2)],
    ]);
    const alone = noiseFloor({ metric, baselines, design, exploreSeeds: 2 });
    const shared = noiseFloor({
      metric,
      baselines,
      design: confirmationDesign({ confirmSeeds: 3, confirmSeedsMax: 3, finalists: 4 }),
      exploreSeeds: 2,
    });
    expect(shared?.minimumDetectable).toBeGreaterThan(alone?.minimumDetectable ?? Number.POSITIVE_INFINITY);
    expect(shared?.pairedSd).toBe(alone?.pairedSd);
  });

  it('takes the spread over seeds as an upper estimate where there is one baseline', () => {
    const floor = noiseFloor({ metric, baselines: new Map([['a', bySeed(1, 1.2, 1.1)]]), design, exploreSeeds: 2 });
    expect(floor?.degreesOfFreedom).toBe(2);
    expect(floor?.pairedSd).toBeCloseTo(Math.SQRT2 * 0.1, 10);
  });

  it('leaves out a baseline that lacks seeds or has a value that is not finite', () => {
    const whole = new Map([
      ['a', bySeed(1, 1.1)],
      ['b', bySeed(1, 1.2)],
    ]);
    const expected = noiseFloor({ metric, baselines: whole, design, exploreSeeds: 2 });
    for (const bad of [bySeed(1), bySeed(1, Number.NaN), new Map<number, number>()])
      expect(noiseFloor({ metric, baselines: new Map([...whole, ['bad', bad]]), design, exploreSeeds: 2 })).toEqual(expected);
  });

  it('is unknown with one seed or with none', () => {
    expect(noiseFloor({ metric, baselines: new Map(), design, exploreSeeds: 2 })).toBeNull();
    expect(
      noiseFloor({
        metric,
        baselines: new Map([
          ['a', bySeed(1)],
          ['b', bySeed(2)],
        ]),
        design,
        exploreSeeds: 2,
      }),
    ).toBeNull();
  });
});

describe('median', () => {
  it('is the middle, or between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

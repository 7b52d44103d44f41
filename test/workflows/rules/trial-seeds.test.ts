import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingsSchema } from '../../../workflows/contracts/settings.ts';
import { calibrationSeeds, confirmSeeds, exploreSeeds } from '../../../workflows/rules/trial-seeds.ts';

const settings = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  exploreSeeds: fc.integer({ min: 1, max: 16 }),
  confirmSeeds: fc.integer({ min: 2, max: 32 }),
});

describe('trial seeds', () => {
  it('stay within the bounds that the settings allow', () => {
    for (const edges of [
      { seed: 0, exploreSeeds: 1, confirmSeeds: 2 },
      { seed: 2 ** 31 - 1, exploreSeeds: 16, confirmSeeds: 32 },
    ])
      settingsSchema.pick({ seed: true, exploreSeeds: true, confirmSeeds: true }).parse(edges);
  });

  it('are as many as asked for, and the confirming ones fresh', () => {
    fc.assert(
      fc.property(settings, (some) => {
        const explore = exploreSeeds(some);
        const confirm = confirmSeeds(some);
        expect(explore).toHaveLength(some.exploreSeeds);
        expect(confirm).toHaveLength(some.confirmSeeds);
        const all = [...calibrationSeeds(some), ...confirm];
        expect(new Set(all).size).toBe(all.length);
        expect(all.every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true);
      }),
    );
  });

  it('calibrate on the exploring seeds, and on two at least', () => {
    fc.assert(
      fc.property(settings, (some) => {
        const calibration = calibrationSeeds(some);
        expect(calibration.slice(0, some.exploreSeeds)).toEqual(exploreSeeds(some));
        expect(calibration).toHaveLength(Math.max(2, some.exploreSeeds));
      }),
    );
  });

  it('are the same for the same campaign seed, however many are asked for, and others for another', () => {
    fc.assert(
      fc.property(settings, fc.integer({ min: 1, max: 1000 }), (some, step) => {
        expect(exploreSeeds({ ...some, exploreSeeds: 16 }).slice(0, some.exploreSeeds)).toEqual(exploreSeeds(some));
        const other = { ...some, seed: some.seed >= step ? some.seed - step : some.seed + step };
        const own = new Set([...calibrationSeeds(some), ...confirmSeeds(some)]);
        expect([...calibrationSeeds(other), ...confirmSeeds(other)].some((seed) => own.has(seed))).toBe(false);
      }),
    );
  });
});

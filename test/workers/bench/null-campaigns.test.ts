import { describe, expect, it } from 'vitest';
import {
  type CampaignSetting,
  noiseModel,
  resampleCampaigns,
  shareOf,
  type TableRow,
} from '../../../workers/bench/null-campaigns.ts';
import { createRandom } from '../../../workflows/rules/random.ts';
import { missedError } from '../../../workflows/rules/rivals.ts';

const names = ['deltanet', 'kda', 'gla'];
const levels = [2.5, 2.4, 2.9];
/** A made table: levels, seed effects of 0.1 and residuals of 0.05, with one replicate each. */
const rows = (): readonly TableRow[] => {
  const random = createRandom('made table');
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const effects = Array.from({ length: 24 }, () => 0.1 * normal());
  return names.flatMap((baseline, index) =>
    [0, 1].flatMap((replicate) =>
      effects.map((effect, seed) => ({
        baseline,
        replicate,
        seed,
        metrics: { 'bits-per-byte': (levels[index] ?? 0) + effect + 0.05 * normal() },
      })),
    ),
  );
};
const model = noiseModel(rows(), names);
const setting: CampaignSetting = {
  finalists: 2,
  confirmSeeds: 3,
  confirmSeedsMax: 4,
  exploreSeeds: 2,
  mostBaselines: 3,
  candidates: 6,
  nullOf: model.strongest,
  gain: 0,
  numPlanted: 0,
};

describe('noiseModel', () => {
  it('finds levels, the strongest baseline and the deviation of a paired difference', () => {
    expect(model.strongest).toBe('kda');
    expect(model.baselines).toEqual(names);
    expect(model.levels.get('gla')).toBeCloseTo(2.9, 0);
    expect(model.pairedSd / (0.05 * Math.SQRT2)).toBeGreaterThan(0.8);
    expect(model.pairedSd / (0.05 * Math.SQRT2)).toBeLessThan(1.2);
    expect(model.replicateSd ?? 0).toBeGreaterThan(0.05);
  });

  it('uses seeds only that every baseline has, and refuses a table that is too small', () => {
    const without = rows().filter(({ baseline, seed }) => baseline !== 'kda' || seed !== 3);
    expect(noiseModel(without, names).seeds).not.toContain(3);
    expect(() => noiseModel(rows(), ['kda'])).toThrow('1 baselines');
    expect(() => noiseModel(rows().slice(0, 5), names)).toThrow('common seeds');
  });
});

describe('resampleCampaigns', () => {
  const few = { numCampaigns: 150, seed: 1 };

  it('says better of nulls rarely, and of large planted gains nearly always', () => {
    const nulls = resampleCampaigns(model, setting, few);
    expect(nulls.candidates.of).toBe(300);
    expect(nulls.campaigns.share).toBeLessThanOrEqual(0.05);
    const planted = resampleCampaigns(model, { ...setting, gain: 5 * model.pairedSd, numPlanted: 6 }, few);
    expect(planted.found.share).toBeGreaterThan(0.95);
    expect(planted.candidates.of).toBe(0);
  });

  it('compares with every baseline that may be the strongest, up to the limit', () => {
    // Of a tie of two beside the reference both are compared; a baseline that is far behind is not.
    const tied = noiseModel(
      rows().flatMap((row) => {
        const bits = (row.metrics['bits-per-byte'] ?? 0) - (row.baseline === 'gla' ? 0.499 : 0);
        return [{ ...row, metrics: { 'bits-per-byte': bits } }];
      }),
      names,
    );
    const near = resampleCampaigns(tied, { ...setting, nullOf: tied.strongest }, few);
    expect(near.meanBaselines).toBeGreaterThan(2.8);
    expect(near.missedStrongest.share).toBeLessThan(missedError);
    const limited = resampleCampaigns(tied, { ...setting, nullOf: tied.strongest, mostBaselines: 2 }, few);
    expect(limited.meanBaselines).toBe(2);
    expect(limited.missedStrongest.share).toBeGreaterThan(0.2);
    expect(resampleCampaigns(model, setting, few).meanBaselines).toBeLessThan(2.3);
  });

  it('gives the same figures for the same seed and others for another', () => {
    const planted = { ...setting, gain: model.pairedSd, numPlanted: 6 };
    expect(resampleCampaigns(model, planted, few)).toEqual(resampleCampaigns(model, planted, few));
    expect(resampleCampaigns(model, planted, { ...few, seed: 2 })).not.toEqual(resampleCampaigns(model, planted, few));
  });

  it('finds larger gains more often', () => {
    const shares = [0, 1, 2, 4].map(
      (times) => resampleCampaigns(model, { ...setting, gain: times * model.pairedSd, numPlanted: 6 }, few).found.share,
    );
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBeGreaterThan(0.9);
  });
});

describe('shareOf', () => {
  it('is a share with its score interval', () => {
    // Wilson's interval of 5 in 100, printed in many tables.
    const share = shareOf(5, 100);
    expect(share.low).toBeCloseTo(0.0215, 3);
    expect(share.high).toBeCloseTo(0.1118, 3);
    expect(shareOf(0, 50).low).toBe(0);
    expect(shareOf(0, 50).high).toBeGreaterThan(0.05);
  });
});

import { describe, expect, it } from 'vitest';
import { noiseModel, type TableRow } from '../../../workers/bench/noise-model.ts';
import { type CampaignSetting, resampleCampaigns, shareOf } from '../../../workers/bench/null-campaigns.ts';
import { createRandom } from '../../../workflows/rules/random.ts';
import { missedError } from '../../../workflows/rules/rivals.ts';

const names = ['deltanet', 'kda', 'gla'];
const levels = [2.5, 2.4, 2.9];
/**
 * A made table: levels, seed effects of 0.1 and residuals of 0.05, with one replicate each. `twice`: what twice the rate is worth to kda; half
 * the rate costs everyone 0.3. The champion set is 0.1 below promotion, give or take `shift`.
 */
const rows = ({ twice = -0.3, shift = 0.005 } = {}): readonly TableRow[] => {
  const random = createRandom('made table');
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const effects = Array.from({ length: 24 }, () => 0.1 * normal());
  const variants = [
    { replicate: 0, rate: 1 },
    { replicate: 1, rate: 1 },
    { replicate: 0, rate: 0.5 },
    { replicate: 0, rate: 2 },
  ];
  return names.flatMap((baseline, index) =>
    variants.flatMap(({ replicate, rate }) =>
      effects.map((effect, seed) => {
        const gain = rate === 1 ? 0 : rate === 2 && baseline === 'kda' ? twice : -0.3;
        const promotion = (levels[index] ?? 0) + effect + 0.05 * normal() - gain;
        return {
          baseline,
          replicate,
          rate,
          seed,
          bits: { search: promotion + 0.05, promotion, champion: promotion - 0.1 + shift * normal() },
        };
      }),
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
    expect(model.fits.promotion.levels.get('gla')).toBeCloseTo(2.9, 0);
    expect(model.pairedSd / (0.05 * Math.SQRT2)).toBeGreaterThan(0.8);
    expect(model.pairedSd / (0.05 * Math.SQRT2)).toBeLessThan(1.2);
    expect(model.replicateSd ?? 0).toBeGreaterThan(0.05);
  });

  it('says what another rate is worth over the strongest, and how far the champion set is from promotion', () => {
    expect(model.rateGain).toBe(0);
    expect(noiseModel(rows({ twice: 0.2 }), names).rateGain).toBeCloseTo(0.2, 1);
    expect(Math.max(...model.championShifts)).toBeLessThan(0.025);
    expect(Math.max(...noiseModel(rows({ shift: 0.05 }), names).championShifts)).toBeGreaterThan(0.05);
  });

  it('uses seeds only that every baseline has, and refuses a table that is too small', () => {
    const without = rows().filter(({ baseline, seed }) => baseline !== 'kda' || seed !== 3);
    expect(noiseModel(without, names).seeds).not.toContain(3);
    const unrated = rows().filter(({ rate, seed }) => rate !== 2 || seed !== 5);
    expect(noiseModel(unrated, names).seeds).not.toContain(5);
    expect(() =>
      noiseModel(
        rows().filter(({ rate }) => rate !== 0.5),
        names,
      ),
    ).toThrow('0 baselines');
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
        const less = row.baseline === 'gla' ? 0.499 : 0;
        const { search = 0, promotion = 0, champion = 0 } = row.bits;
        return [{ ...row, bits: { search: search - less, promotion: promotion - less, champion: champion - less } }];
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

describe('what a "better" has to pass', () => {
  const few = { numCampaigns: 150, seed: 1 };
  const planted = { ...setting, numPlanted: 6 };

  it('calls no candidate better that is as good as a baseline at twice the rate', () => {
    const faster = noiseModel(rows({ twice: 0.3 }), names);
    const found = resampleCampaigns(faster, { ...planted, gain: faster.rateGain }, few);
    expect(found.foundByWalk.share).toBeGreaterThan(0.9);
    expect(found.found.share).toBeLessThanOrEqual(0.05);
    const better = resampleCampaigns(faster, { ...planted, gain: faster.rateGain + 5 * faster.pairedSd }, few);
    expect(better.found.share).toBeGreaterThan(0.95);
  });

  it('counts what the champion set takes away', () => {
    const gain = 3 * model.pairedSd;
    const steady = resampleCampaigns(model, { ...planted, gain }, few);
    const shaken = resampleCampaigns(noiseModel(rows({ shift: 0.3 }), names), { ...planted, gain }, few);
    expect(steady.foundAtRates.share - steady.found.share).toBeLessThan(0.05);
    expect(shaken.foundAtRates.share - shaken.found.share).toBeGreaterThan(0.3);
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

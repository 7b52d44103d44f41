import { describe, expect, it } from 'vitest';
import { createRandom, type Random } from '../../../workflows/rules/random.ts';
import { leftOutWords, mayBeStrongest, missedError } from '../../../workflows/rules/rivals.ts';
import { residualSpread, type SeedValues } from '../../../workflows/rules/spread.ts';

const metric = 'bits-per-byte';
const seeds = [1, 2];
const onSeeds = (...values: readonly number[]): SeedValues => new Map(values.map((value, index) => [index + 1, value]));
const chosen = (baselines: Readonly<Record<string, SeedValues>>, isMeasured = true): readonly string[] =>
  mayBeStrongest({
    metric,
    baselines: Object.entries(baselines).map(([id, values]) => ({ id, values })),
    noise: isMeasured ? residualSpread(Object.values(baselines), seeds) : null,
  });
const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

describe('mayBeStrongest', () => {
  const far = { deltanet: onSeeds(2.6, 2.7), kda: onSeeds(2.31, 2.4), ssd: onSeeds(2.0, 2.11), gla: onSeeds(2.5, 2.59) };

  it('leaves out the baselines that the best one clearly beats, and is led by the best', () => {
    expect(chosen(far)).toEqual(['ssd']);
  });

  it('keeps every one that exploring cannot tell from the best, the better first', () => {
    expect(chosen({ ...far, gdn: onSeeds(2.03, 2.12), rwkv: onSeeds(2.01, 2.13) })).toEqual(['ssd', 'rwkv', 'gdn']);
  });

  it('holds them against the noise of their own table with all its degrees, though two seeds of a pair tell little', () => {
    // With degrees of their own two seeds almost alone, ssd's lead of 0.28 over gdn would prove nothing.
    expect(chosen({ ...far, gdn: onSeeds(2.32, 2.35), rwkv: onSeeds(2.5, 2.62) })).toEqual(['ssd']);
  });

  it('keeps all where nothing is known of the noise and seeds are too few to tell', () => {
    expect(chosen({ a: onSeeds(2), b: onSeeds(1) }, false)).toEqual(['b', 'a']);
    expect(chosen({})).toEqual([]);
    expect(chosen({ a: onSeeds(2, 2) })).toEqual(['a']);
  });

  it('keeps one that shares no seed with the others, which nothing excludes', () => {
    expect(chosen({ ...far, odd: new Map([[9, 1]]) })).toContain('odd');
  });

  it('loses the truly strongest no more often than it promises, however close the others are', () => {
    const random = createRandom('rivals');
    const rounds = 1500;
    let lost = 0;
    for (let round = 0; round < rounds; round++) {
      const effects = seeds.map(() => normal(random));
      // The strongest by a hair, among three that are as good and one that is far.
      const made = Object.fromEntries(
        [0, 0.001, 0.001, 0.001, 3].map((level, index) => [
          index === 0 ? 'best' : `other-${index}`,
          onSeeds(...effects.map((effect) => level + effect + 0.3 * normal(random))),
        ]),
      );
      if (!chosen(made).includes('best')) lost += 1;
    }
    expect(lost / rounds).toBeLessThan(missedError);
  });
});

describe('leftOutWords', () => {
  it('names those that the limit left out, and is silent without any', () => {
    expect(leftOutWords([])).toBe('');
    expect(leftOutWords(['kda'])).toContain(' kda may be the strongest too');
    expect(leftOutWords(['kda', 'gla'])).toContain('kda, gla may be the strongest too, as far as exploring told, and were not');
  });
});

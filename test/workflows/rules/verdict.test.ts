import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conclusionSchema, type NoiseFloor } from '../../../workflows/contracts/campaign.ts';
import { type Verdict, verdictSchema } from '../../../workflows/contracts/experiment.ts';
import { createRandom, type Random } from '../../../workflows/rules/random.ts';
import { noiseFloor } from '../../../workflows/rules/statistics.ts';
import {
  type Contender,
  concludeFrom,
  type FinalistInput,
  judgeFinalist,
  pickFinalists,
} from '../../../workflows/rules/verdict.ts';

const metric = 'bits-per-byte';
const noise: NoiseFloor = { metric, pairedSd: 0.01, degreesOfFreedom: 9, minimumDetectable: 0.02 };
const onSeeds = (...values: readonly number[]): ReadonlyMap<number, number> =>
  new Map(values.map((value, index) => [1001 + index, value]));
const deltanet = { name: 'deltanet', values: onSeeds(2.5, 2.6, 2.55) };
const kda = { name: 'kda', values: onSeeds(2.4, 2.5, 2.45) };
const plus = (values: ReadonlyMap<number, number>, by: number): ReadonlyMap<number, number> =>
  new Map([...values].map(([seed, value]) => [seed, value + by]));
const judge = (part: Partial<FinalistInput>): Verdict => {
  const verdict = judgeFinalist({ metric, candidate: kda.values, baselines: [deltanet, kda], noise, numFinalists: 1, ...part });
  if (verdict === null) throw new Error('there was something to compare');
  return verdictSchema.parse(verdict);
};
const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

describe('judgeFinalist', () => {
  it('says better only where every compared baseline is beaten', () => {
    const verdict = judge({ candidate: plus(kda.values, -0.05) });
    expect(verdict).toMatchObject({ verdict: 'better', against: 'kda' });
    expect(verdict.effect.mean).toBeCloseTo(0.05, 12);
    expect(verdict.statement).toMatch(
      /^Better than all 2 compared baselines, the closest being kda, in bits-per-byte: \+0\.0500 \[\+0\.0\d+, \+0\.0\d+\], positive is better \(paired t on 3 common seeds, variance pooled with the noise floor, 11 df, 95 %\)\.$/,
    );
    expect(judge({ candidate: plus(deltanet.values, -0.095) })).toMatchObject({ verdict: 'not-distinguishable', against: 'kda' });
    expect(judge({ candidate: plus(kda.values, -0.05), baselines: [kda] }).statement).toMatch(/^Better than kda, in/);
  });

  it('says not distinguishable where the interval holds zero, and names from whom', () => {
    const verdict = judge({ candidate: plus(kda.values, -0.005) });
    expect(verdict).toMatchObject({ verdict: 'not-distinguishable', against: 'kda' });
    expect(verdict.statement).toMatch(/^Not distinguishable from kda in bits-per-byte: \+0\.0050 \[−0\.0/);
  });

  it('says worse where one baseline is certainly better', () => {
    expect(judge({ candidate: plus(kda.values, 0.05) })).toMatchObject({ verdict: 'worse', against: 'kda' });
    const noisy = { name: 'noisy', values: onSeeds(2.0, 2.6, 2.3) };
    expect(judge({ candidate: plus(kda.values, 0.05), baselines: [noisy, kda] })).toMatchObject({
      verdict: 'worse',
      against: 'kda',
    });
  });

  it('does not count a baseline as beaten that shares no fresh seed', () => {
    const elsewhere = { name: 'gla', values: new Map([[7, 3]]) };
    const verdict = judge({ candidate: plus(kda.values, -0.05), baselines: [deltanet, elsewhere] });
    expect(verdict.verdict).toBe('not-distinguishable');
    expect(verdict.statement).toMatch(/No common fresh seed with gla\.$/);
    expect(judgeFinalist({ metric, candidate: kda.values, baselines: [elsewhere], noise, numFinalists: 1 })).toBeNull();
    expect(judgeFinalist({ metric, candidate: kda.values, baselines: [], noise, numFinalists: 1 })).toBeNull();
  });

  it('asks for wider intervals the more finalists share the error, and says so', () => {
    const candidate = plus(kda.values, -0.02);
    const one = judge({ candidate });
    const four = judge({ candidate, numFinalists: 4 });
    expect(four.effect.low).toBeLessThan(one.effect.low);
    expect(four.effect.method).toContain('98.75 %');
    expect(four.statement).toContain('error shared by 4 finalists');
  });

  it.each([0, -1, 1.5])('refuses %s finalists', (numFinalists) => {
    expect(() => judge({ numFinalists })).toThrow('numFinalists');
  });

  it('agrees with its own effect', () => {
    const score = fc.double({ min: 1, max: 4, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(score, score, score), { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 1, max: 8 }),
        (rows, numFinalists) => {
          const [own, a, b] = [0, 1, 2].map((column) => onSeeds(...rows.map((row) => row[column] ?? 0)));
          const verdict = judge({
            candidate: own ?? new Map(),
            baselines: [
              { name: 'a', values: a ?? new Map() },
              { name: 'b', values: b ?? new Map() },
            ],
            numFinalists,
          });
          if (verdict.verdict === 'better') expect(verdict.effect.low).toBeGreaterThan(0);
          if (verdict.verdict === 'worse') expect(verdict.effect.high).toBeLessThan(0);
          if (verdict.verdict === 'not-distinguishable') expect(verdict.effect.low).toBeLessThanOrEqual(0);
        },
      ),
    );
  });

  it('calls a candidate without any merit better in at most one campaign of twenty, chosen as the luckiest of many', () => {
    const random = createRandom('null campaigns');
    for (const { numFinalists, candidateSd } of [
      { numFinalists: 1, candidateSd: 0.01 },
      { numFinalists: 4, candidateSd: 0.01 },
      { numFinalists: 4, candidateSd: 0.02 },
    ]) {
      const campaigns = 400;
      let fooled = 0;
      for (let campaign = 0; campaign < campaigns; campaign++)
        fooled += nullCampaign({ random, numFinalists, candidateSd }) ? 1 : 0;
      expect(fooled / campaigns).toBeLessThanOrEqual(0.05);
    }
  });

  it('finds a real improvement of five paired deviations most of the time', () => {
    const random = createRandom('true campaigns');
    const found = Array.from({ length: 300 }, () =>
      nullCampaign({ random, numFinalists: 2, candidateSd: 0.01, gain: 5 * Math.SQRT2 * 0.01 }),
    ).filter(Boolean);
    expect(found.length / 300).toBeGreaterThan(0.8);
  });
});

/** A campaign whose twelve candidates gain `gain` over the two best baselines; true where any finalist is called better. */
const nullCampaign = ({
  random,
  numFinalists,
  candidateSd,
  gain = 0,
}: {
  random: Random;
  numFinalists: number;
  candidateSd: number;
  gain?: number;
}): boolean => {
  const runs = (centre: number, sd: number, effects: ReadonlyMap<number, number>) =>
    new Map([...effects].map(([seed, effect]) => [seed, centre + effect + sd * normal(random)]));
  const seedEffects = (...seeds: number[]) => new Map(seeds.map((seed) => [seed, 0.05 * normal(random)]));
  const explore = seedEffects(1, 2);
  const confirm = seedEffects(1001, 1002, 1003);
  const centres = { deltanet: 2.5, kda: 2.5, ssd: 2.7, gla: 2.8 };
  const floor = noiseFloor({
    metric,
    baselines: new Map(Object.entries(centres).map(([name, centre]) => [name, runs(centre, 0.01, explore)])),
    confirmSeeds: 3,
  });
  const lucky = Array.from({ length: 12 }, () => [...runs(2.5 - gain, candidateSd, explore).values()].reduce((a, b) => a + b))
    .toSorted((a, b) => a - b)
    .slice(0, numFinalists);
  const baselines = ['deltanet', 'kda'].map((name) => ({ name, values: runs(2.5, 0.01, confirm) }));
  return lucky.some(
    () =>
      judgeFinalist({ metric, candidate: runs(2.5 - gain, candidateSd, confirm), baselines, noise: floor, numFinalists })
        ?.verdict === 'better',
  );
};

describe('pickFinalists', () => {
  const contender = (number: number, kind: Contender['kind'], fitness: number | null): Contender => ({
    id: `e${number}`,
    number,
    kind,
    fitness,
  });
  const experiments = [
    contender(1, 'baseline', 0),
    contender(2, 'baseline', 0.2),
    contender(3, 'baseline', 0.1),
    contender(4, 'candidate', 0.3),
    contender(5, 'start', 0.3),
    contender(6, 'candidate', null),
    contender(7, 'candidate', 0.4),
    contender(8, 'candidate', Number.NaN),
  ];

  it('takes the fittest candidates and starts, and the reference with the fittest other baseline', () => {
    expect(pickFinalists({ experiments, finalists: 2, referenceId: 'e1' })).toEqual({
      finalists: ['e7', 'e4'],
      baselines: ['e1', 'e2'],
    });
    expect(pickFinalists({ experiments, finalists: 9, referenceId: 'e2' })).toEqual({
      finalists: ['e7', 'e4', 'e5'],
      baselines: ['e2', 'e3'],
    });
  });

  it('keeps the reference even without a fitness, and does without rivals or candidates', () => {
    const alone = [contender(1, 'baseline', null)];
    expect(pickFinalists({ experiments: alone, finalists: 2, referenceId: 'e1' })).toEqual({ finalists: [], baselines: ['e1'] });
    expect(pickFinalists({ experiments: [], finalists: 2, referenceId: 'e1' })).toEqual({ finalists: [], baselines: [] });
  });
});

describe('concludeFrom', () => {
  const better = { name: 'fir gate', verdict: judge({ candidate: plus(kda.values, -0.05) }) };
  const best = { name: 'two-stage', verdict: judge({ candidate: plus(kda.values, -0.09) }) };
  const unclear = { name: 'mix', verdict: judge({ candidate: kda.values }) };
  const whole = (part: ReturnType<typeof concludeFrom>) =>
    conclusionSchema.parse({ ...part, finalists: [], reportPath: null, bundlePaths: [] });

  it('leads with the largest gain among the winners', () => {
    const conclusion = whole(concludeFrom([unclear, better, best]));
    expect(conclusion.verdict).toBe('better');
    expect(conclusion.statement).toMatch(/^two-stage is better than all 2 compared baselines.* 2 of 3 finalists are better\.$/);
    expect(whole(concludeFrom([better])).statement).toMatch(/^fir gate is better .*95 %\)\.$/);
  });

  it('says plainly that nothing was found', () => {
    expect(whole(concludeFrom([unclear]))).toMatchObject({ verdict: 'nothing-found' });
    expect(concludeFrom([unclear]).statement).toMatch(
      /^Nothing was found that is better than the baselines\. The fittest finalist, mix, is not distinguishable from kda/,
    );
    expect(concludeFrom([])).toEqual({
      verdict: 'nothing-found',
      statement: 'No finalist was confirmed on fresh seeds, so nothing was found.',
    });
  });
});

describe('a fresh seed that the finalist did not survive', () => {
  const candidate = new Map([...plus(kda.values, -0.4)].slice(0, 2));

  it('forbids "better" however good the others are, and is named', () => {
    const seeds = [...kda.values.keys()];
    expect(judge({ candidate }).verdict).toBe('better');
    const verdict = judge({ candidate, seeds });
    expect(verdict.verdict).toBe('not-distinguishable');
    expect(verdict.statement).toContain('no score on 1 of its 3 fresh seeds');
  });

  it('does not matter when there is none', () => {
    expect(judge({ candidate: plus(kda.values, -0.4), seeds: [...kda.values.keys()] }).verdict).toBe('better');
  });
});

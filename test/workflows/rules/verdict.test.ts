import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conclusionSchema } from '../../../workflows/contracts/campaign.ts';
import { type Verdict, verdictSchema } from '../../../workflows/contracts/experiment.ts';
import { confirmationDesign } from '../../../workflows/rules/sequential-design.ts';
import { residualSpread, type Spread } from '../../../workflows/rules/spread.ts';
import {
  type Contender,
  concludeFrom,
  type FinalistInput,
  judgeFinalist,
  pickFinalists,
} from '../../../workflows/rules/verdict.ts';

const metric = 'bits-per-byte';
/** A paired deviation of 0.01. */
const noise: Spread = { squares: 9 * 0.01 ** 2, degreesOfFreedom: 9 };
const oneLook = (finalists: number) => confirmationDesign({ confirmSeeds: 3, confirmSeedsMax: 3, finalists });
const onSeeds = (...values: readonly number[]): ReadonlyMap<number, number> =>
  new Map(values.map((value, index) => [1001 + index, value]));
const deltanet = { name: 'deltanet', values: onSeeds(2.5, 2.6, 2.55) };
const kda = { name: 'kda', values: onSeeds(2.4, 2.5, 2.45) };
const plus = (values: ReadonlyMap<number, number>, by: number): ReadonlyMap<number, number> =>
  new Map([...values].map(([seed, value]) => [seed, value + by]));
const start: FinalistInput = {
  metric,
  candidate: kda.values,
  baselines: [deltanet, kda],
  noise,
  design: oneLook(1),
  look: 0,
  seeds: [1001, 1002, 1003],
};
const judge = (part: Partial<FinalistInput>): Verdict => {
  const verdict = judgeFinalist({ ...start, ...part });
  if (verdict === null) throw new Error('there was something to compare');
  return verdictSchema.parse(verdict);
};

describe('judgeFinalist', () => {
  it('says better only where every compared baseline is beaten', () => {
    const verdict = judge({ candidate: plus(kda.values, -0.05) });
    expect(verdict).toMatchObject({ verdict: 'better', against: 'kda' });
    expect(verdict.effect.mean).toBeCloseTo(0.05, 12);
    expect(verdict.statement).toMatch(
      /^Better than all 2 compared baselines, the closest being kda, in bits-per-byte: \+0\.0500 \[\+0\.0\d+, \+0\.0\d+\], positive is better \(paired t on 3 common seeds, variance pooled with the noise floor, 8\.7 df, 95 %\)\.$/,
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
    const noisy = { name: 'noisy', values: onSeeds(2.4, 2.52, 2.46) };
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
    expect(judgeFinalist({ ...start, baselines: [elsewhere] })).toBeNull();
    expect(judgeFinalist({ ...start, baselines: [] })).toBeNull();
  });

  it('asks for wider intervals the more finalists share the error, and says so', () => {
    const candidate = plus(kda.values, -0.02);
    const one = judge({ candidate });
    const four = judge({ candidate, design: oneLook(4) });
    expect(four.effect.low).toBeLessThan(one.effect.low);
    expect(four.effect.method).toContain('98.75 %');
    expect(four.statement).toContain('error shared by 4 finalists');
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
            design: oneLook(numFinalists),
            seeds: [...(own ?? new Map()).keys()],
          });
          if (verdict.verdict === 'better') expect(verdict.effect.low).toBeGreaterThan(0);
          if (verdict.verdict === 'worse') expect(verdict.effect.high).toBeLessThan(0);
          if (verdict.verdict === 'not-distinguishable') expect(verdict.effect.low).toBeLessThanOrEqual(0);
        },
      ),
    );
  });

  it('learns of the noise from the other baselines too', () => {
    const candidate = onSeeds(2.37, 2.468, 2.421);
    const gla = { name: 'gla', values: onSeeds(2.498, 2.602, 2.549) };
    const alone = judge({ candidate, noise: null, baselines: [kda] });
    const together = judge({ candidate, noise: null, baselines: [kda, deltanet, gla] });
    expect(alone.effect.method).toContain(', 2 df');
    expect(together.against).toBe('kda');
    expect(together.effect.high - together.effect.low).toBeLessThan(alone.effect.high - alone.effect.low);
  });

  it('learns from exploring how noisy the finalist is, and counts nothing twice', () => {
    const candidate = onSeeds(2.37, 2.468, 2.421);
    const width = (...explored: readonly [number, number]) => {
      const beside = [onSeeds(...explored), onSeeds(2.5, 2.6), onSeeds(2.6, 2.7), onSeeds(2.7, 2.81)];
      const { effect } = judge({
        candidate,
        explored: beside[0] ?? new Map(),
        baselines: [{ ...kda, explored: beside[1] ?? new Map() }],
        noise: residualSpread(beside, [1001, 1002]),
      });
      return effect.high - effect.low;
    };
    // The same quiet differences from the others; only the finalist's own tell the two apart.
    expect(width(2.4, 2.6)).toBeGreaterThan(2 * width(2.45, 2.55));
  });

  it('names the look where there is more than one', () => {
    const design = confirmationDesign({ confirmSeeds: 2, confirmSeedsMax: 3, finalists: 2 });
    expect(judge({ design, look: 1 }).statement).toContain('error shared by 2 finalists and 2 looks, this being look 2)');
  });
});

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

  const pick = (part: Partial<Parameters<typeof pickFinalists>[0]>) =>
    pickFinalists({ experiments, finalists: 2, referenceId: 'e1', rivals: [], mostBaselines: 9, ...part });

  it('takes the fittest candidates and starts, and the reference with the fittest other baseline', () => {
    expect(pick({})).toEqual({ finalists: ['e7', 'e4'], baselines: ['e1', 'e2'], leftOut: [] });
    expect(pick({ finalists: 9, referenceId: 'e2' })).toMatchObject({
      finalists: ['e7', 'e4', 'e5'],
      baselines: ['e2', 'e3'],
    });
  });

  it('adds every baseline that may be the strongest, and names those that the limit leaves out', () => {
    expect(pick({ rivals: ['e3', 'e2'] })).toMatchObject({ baselines: ['e1', 'e2', 'e3'], leftOut: [] });
    expect(pick({ rivals: ['e9', 'e3', 'e2'], mostBaselines: 3 })).toMatchObject({
      baselines: ['e1', 'e2', 'e9'],
      leftOut: ['e3'],
    });
    expect(pick({ rivals: ['e1'] })).toMatchObject({ baselines: ['e1', 'e2'] });
  });

  it('takes what cannot be a discovery only where nobody else is left', () => {
    const barred = experiments.map((one) => ({ ...one, isBarred: one.id === 'e7' }));
    expect(pick({ experiments: barred }).finalists).toEqual(['e4', 'e5']);
    expect(pick({ experiments: barred, finalists: 3 }).finalists).toEqual(['e4', 'e5', 'e7']);
  });

  it('keeps the reference even without a fitness, and does without rivals or candidates', () => {
    const alone = [contender(1, 'baseline', null)];
    expect(pick({ experiments: alone })).toMatchObject({ finalists: [], baselines: ['e1'] });
    expect(pick({ experiments: [] })).toMatchObject({ finalists: [], baselines: [] });
  });
});

describe('concludeFrom', () => {
  const better = { name: 'fir gate', verdict: judge({ candidate: plus(kda.values, -0.05) }) };
  const best = { name: 'two-stage', verdict: judge({ candidate: plus(kda.values, -0.09) }) };
  const unclear = { name: 'mix', verdict: judge({ candidate: kda.values }) };
  const whole = (part: ReturnType<typeof concludeFrom>) =>
    conclusionSchema.parse({ ...part, finalists: [], reportPath: null, bundlePaths: [] });

  it('leads with the largest gain among the winners', () => {
    const conclusion = whole(concludeFrom([unclear, better, best], 0.1));
    expect(conclusion.verdict).toBe('better');
    expect(conclusion.statement).toMatch(/^two-stage is better than all 2 compared baselines.* 2 of 3 finalists are better\.$/);
    expect(whole(concludeFrom([better], 0.1)).statement).toMatch(/^fir gate is better .*95 %\)\.$/);
  });

  it('says plainly that nothing was found', () => {
    expect(whole(concludeFrom([unclear], null))).toMatchObject({ verdict: 'nothing-found' });
    expect(concludeFrom([unclear], null).statement).toMatch(
      /^Nothing was found that is better than the baselines\. The fittest finalist, mix, is not distinguishable from kda/,
    );
    expect(concludeFrom([unclear], 0.0834).statement).toMatch(
      /On fresh seeds at the rung's own learning rate, a true gain of 0\.083 bits per byte would have shown nine times in ten, a smaller one less often; .* and on the champion set\.$/,
    );
    expect(concludeFrom([], 0.1)).toEqual({
      verdict: 'nothing-found',
      statement: 'No finalist was confirmed on fresh seeds, so nothing was found.',
    });
  });
});

describe('a fresh seed that the finalist did not survive', () => {
  const candidate = new Map([...plus(kda.values, -0.4)].slice(0, 2));

  it('forbids "better" however good the others are, and is named', () => {
    expect(judge({ candidate, seeds: [...candidate.keys()] }).verdict).toBe('better');
    const verdict = judge({ candidate });
    expect(verdict.verdict).toBe('not-distinguishable');
    expect(verdict.statement).toContain('no score on 1 of its 3 fresh seeds');
  });

  it('does not matter when there is none', () => {
    expect(judge({ candidate: plus(kda.values, -0.4) }).verdict).toBe('better');
  });
});

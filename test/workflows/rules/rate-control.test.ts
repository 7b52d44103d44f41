import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Verdict, verdictSchema } from '../../../workflows/contracts/experiment.ts';
import type { OtherRate } from '../../../workflows/contracts/rung.ts';
import { walkConfirmation } from '../../../workflows/rules/confirmation.ts';
import { heldAtEveryRate, holdAgainstRates, type RateControl, ratesToTrain } from '../../../workflows/rules/rate-control.ts';
import { confirmationDesign } from '../../../workflows/rules/sequential-design.ts';

const metric = 'bits-per-byte';
const seeds = [1001, 1002, 1003];
const onSeeds = (...values: readonly number[]): ReadonlyMap<number, number> =>
  new Map(values.map((value, index) => [1001 + index, value]));
const better: Verdict = {
  verdict: 'better',
  against: 'kda',
  effect: { metric, mean: 0.2, low: 0.1, high: 0.3, seeds: 3, method: 'paired t' },
  statement: 'Better than kda, in bits-per-byte.',
};
type Rated = Partial<Readonly<Record<OtherRate, ReadonlyMap<number, number>>>>;
const other = (id: string, rate: OtherRate, values: ReadonlyMap<number, number> = new Map()) => ({ id, name: id, rate, values });
/** A candidate at 1.8 against two baselines at 2 and 2.2, whose scores at other rates are given. */
const control = ({ kda = {}, gla = {} }: { readonly kda?: Rated; readonly gla?: Rated }): RateControl => ({
  comparison: {
    ...{ metric, seeds, look: 0 },
    design: confirmationDesign({ confirmSeeds: 3, confirmSeedsMax: 4, finalists: 1 }),
    candidate: onSeeds(1.8, 1.81, 1.79),
    noise: { squares: 9 * 0.02 ** 2, degreesOfFreedom: 9 },
  },
  own: [
    { id: 'kda', name: 'kda', values: onSeeds(2, 2.01, 1.99) },
    { id: 'gla', name: 'gla', values: onSeeds(2.2, 2.21, 2.19) },
  ],
  others: [
    other('kda', 'half', kda.half),
    other('kda', 'twice', kda.twice),
    other('gla', 'half', gla.half),
    other('gla', 'twice', gla.twice),
  ],
});
const hold = (rated: Parameters<typeof control>[0], verdict = better): Verdict =>
  verdictSchema.parse(holdAgainstRates(control(rated), verdict));
const weak = { half: onSeeds(2.4), twice: onSeeds(2.4) };

describe('ratesToTrain', () => {
  it('asks for every baseline at each other rate on the first fresh seed', () => {
    expect(ratesToTrain(control({}), () => false)).toEqual(
      ['kda', 'gla'].flatMap((experimentId) =>
        (['half', 'twice'] as const).map((rate) => ({ experimentId, rate, seeds: [1001] })),
      ),
    );
  });

  it('then for the other seeds of those that may be the strongest at any rate', () => {
    const rated = control({ kda: { ...weak, twice: onSeeds(1.85) }, gla: { ...weak, twice: onSeeds(1.86) } });
    const isTried = ({ seed }: { readonly seed: number }) => seed === 1001;
    expect(ratesToTrain(rated, isTried)).toEqual([
      { experimentId: 'kda', rate: 'twice', seeds: [1002, 1003] },
      { experimentId: 'gla', rate: 'twice', seeds: [1002, 1003] },
    ]);
    expect(ratesToTrain(control({ kda: weak, gla: weak }), isTried)).toEqual([]);
  });

  it('asks for nothing that was tried, however it ended', () => {
    expect(ratesToTrain(control({ kda: { twice: onSeeds(1.85) } }), () => true)).toEqual([]);
  });
});

describe('a walk that is held against every rate', () => {
  /** Of the candidate above with a fourth seed, against kda at twice the rate. */
  const walked = (twice: ReadonlyMap<number, number>, numTried: number, tried = numTried) => {
    const { comparison, own, others } = control({ kda: { ...weak, twice }, gla: weak });
    const values = onSeeds(2, 2.01, 1.99, 2);
    return walkConfirmation(
      {
        ...comparison,
        ...{ seeds: [...seeds, 1004], numTried, candidate: onSeeds(1.8, 1.81, 1.79, 1.8) },
        baselines: own.map((baseline) => ({ ...baseline, values })),
      },
      heldAtEveryRate({ ids: own.map(({ id }) => id), others }, ({ seed }) => seed - 1001 < tried),
    );
  };

  it('waits for rates that are not trained, and asks for no seed before', () => {
    expect(walked(onSeeds(1.85), 3, 1)).toMatchObject({
      nextSeeds: [],
      rates: [{ experimentId: 'kda', rate: 'twice', seeds: [1002, 1003] }],
      verdict: { verdict: 'not-distinguishable' },
    });
  });

  it('goes on where more seeds may tell the gain from that of a rate', () => {
    const open = walked(onSeeds(1.83, 1.84, 1.82), 3);
    expect(open).toMatchObject({ nextSeeds: [1004], rates: [], look: 0, verdict: { verdict: 'not-distinguishable' } });
  });

  it('meets the rates at the later look too, on the seeds of that look', () => {
    const rated = walked(onSeeds(1.83, 1.84, 1.82), 4, 3);
    expect(rated).toMatchObject({ look: 1, rates: [{ experimentId: 'kda', rate: 'twice', seeds: [1004] }] });
    const better = walked(onSeeds(1.83, 1.84, 1.82, 1.86), 4);
    expect(better).toMatchObject({ look: 1, nextSeeds: [], rates: [], verdict: { verdict: 'better' } });
  });

  it('ends where no seed would help, and where a rate has no score', () => {
    expect(walked(onSeeds(1.7, 1.71, 1.69), 3)).toMatchObject({ nextSeeds: [], look: 0 });
    expect(walked(onSeeds(1.83, 1.84), 3)).toMatchObject({
      nextSeeds: [],
      verdict: { statement: expect.stringContaining('there is no score of kda at twice the learning rate on seed 1003') },
    });
  });
});

describe('holdAgainstRates', () => {
  it('keeps a better where no baseline may be the strongest at another rate', () => {
    expect(hold({ kda: weak, gla: weak })).toEqual({
      ...better,
      statement: `${better.statement} None of these baselines may be the strongest at half or at twice the learning rate, by the first fresh seed.`,
    });
  });

  it('keeps one that gains more than the rate does, and says by how much', () => {
    const held = hold({ kda: { ...weak, twice: onSeeds(1.95, 1.96, 1.94) }, gla: weak });
    expect(held).toMatchObject({ verdict: 'better', against: 'kda', effect: better.effect });
    expect(held.statement).toMatch(
      /It is better than baselines at half and at twice the learning rate too: \+0\.1500 \[\+0\.\d+, \+0\.\d+\] over kda at twice the learning rate\.$/,
    );
  });

  it.each([
    ['equals it', onSeeds(1.8, 1.81, 1.79), '+0.0000'],
    ['is better', onSeeds(1.6, 1.61, 1.59), '−0.2000'],
  ])('takes it back where a baseline at another rate %s', (_, half, gain) => {
    const fallen = hold({ kda: weak, gla: { ...weak, half } });
    expect(fallen).toMatchObject({ verdict: 'not-distinguishable', against: 'gla at half the learning rate' });
    expect(fallen.statement).toContain(
      `Not distinguishable when the baselines may learn at half or twice the rate: against gla at half the learning rate the gain is ${gain}`,
    );
    expect(fallen.statement).toMatch(/At the rung's own rate it was better than kda/);
  });

  it('takes it back where a rate was not measured', () => {
    expect(hold({ kda: weak, gla: { half: onSeeds(2.4) } }).statement).toContain(
      'it could not be compared with gla at twice the learning rate, which has no score on seed 1001',
    );
    expect(hold({ kda: { ...weak, twice: onSeeds(1.95, 1.96) }, gla: weak }).statement).toContain(
      'there is no score of kda at twice the learning rate on seed 1003',
    );
  });

  it('makes nothing better that was not', () => {
    const level = fc.double({ min: 0, max: 4, noNaN: true });
    const values = fc.tuple(level, level, level).map((three) => onSeeds(...three));
    fc.assert(
      fc.property(values, values, values, values, (a, b, c, d) => {
        const rated = { kda: { half: a, twice: b }, gla: { half: c, twice: d } };
        for (const verdict of ['not-distinguishable', 'worse'] as const) {
          const given = { ...better, verdict };
          expect(hold(rated, given)).toEqual(given);
        }
        const best = Math.min(...[a, b, c, d].flatMap((one) => [...one.values()]));
        const held = hold(rated);
        expect(['better', 'not-distinguishable']).toContain(held.verdict);
        // Whoever is beaten on every seed at every rate by half a byte's bit is beaten here too.
        if (best > 2.3) expect(held.verdict).toBe('better');
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noRungMet, rungCorrelationWords, rungPairWords } from '../../../workflows/rules/rung-correlation-words.ts';
import { programStrengths, rungCorrelations } from '../../../workflows/rules/rung-correlations.ts';

const row = (rung: string, programHash: string, value: number, seed = 1) =>
  ({ metric: 'bits-per-byte', rung, programHash, seed, value }) as const;
const order = ['tiny', 'quick', 'standard'];
const values = (rung: string, losses: readonly number[]) => losses.map((loss, index) => row(rung, `program ${index}`, loss));

describe('rungCorrelations', () => {
  it('pairs every two rungs, the smaller first, by programs that both have', () => {
    const rows = [...values('standard', [2, 3, 1]), ...values('quick', [2, 3, 1, 9]), ...values('tiny', [1, 2, 3])];
    const pairs = rungCorrelations(rows, order);
    expect(pairs.map(({ rungs, programs }) => [rungs, programs])).toEqual([
      [['tiny', 'quick'], 3],
      [['tiny', 'standard'], 3],
      [['quick', 'standard'], 3],
    ]);
    expect(pairs.map(({ correlation }) => correlation?.rho)).toEqual([-0.5, -0.5, 1]);
  });

  it('keeps loss and recall apart, and leaves other metrics out', () => {
    const recall = [...values('tiny', [1, 2, 3]), ...values('quick', [3, 2, 1])].map(
      (one) => ({ ...one, metric: 'recall-auc' }) as const,
    );
    const accuracy = recall.map((one) => ({ ...one, metric: 'recall-accuracy' }) as const);
    const pairs = rungCorrelations([...values('tiny', [1, 2, 3]), ...values('quick', [1, 2, 3]), ...recall, ...accuracy], order);
    expect(pairs.map(({ metric, correlation }) => [metric, correlation?.rho])).toEqual([
      ['bits-per-byte', 1],
      ['recall-auc', -1],
    ]);
  });

  it('has no correlation of two programs, and no pair where none is on both', () => {
    expect(rungCorrelations([...values('tiny', [1, 2]), ...values('quick', [1, 2])], order)).toEqual([
      { metric: 'bits-per-byte', rungs: ['tiny', 'quick'], programs: 2, correlation: null },
    ]);
    expect(rungCorrelations([row('tiny', 'a', 1), row('quick', 'b', 1)], order)).toEqual([]);
    expect(rungCorrelations([], order)).toEqual([]);
  });

  it('is not misled by campaigns whose seeds drew harder text', () => {
    // Program c was measured on hard text alone: its plain mean is the worst, though it is the best.
    const easy = [row('tiny', 'a', 2), row('tiny', 'b', 3)];
    const hard = [row('tiny', 'a', 7, 9), row('tiny', 'c', 6, 9)];
    const quick = [row('quick', 'a', 2), row('quick', 'b', 3), row('quick', 'c', 1)];
    expect(rungCorrelations([...easy, ...hard, ...quick], order)[0]?.correlation?.rho).toBe(1);
  });
});

describe('programStrengths', () => {
  it('recovers differences of programs exactly from an additive table with holes that hangs together', () => {
    const effect = fc.double({ min: -2, max: 2, noNaN: true });
    const effects = fc.record({
      programs: fc.array(effect, { minLength: 2, maxLength: 6 }),
      seeds: fc.array(effect, { minLength: 2, maxLength: 4 }),
    });
    fc.assert(
      fc.property(effects, fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }), ({ programs, seeds }, holes) => {
        const rows = programs.flatMap((program, i) =>
          seeds.flatMap((seed, j) =>
            // The first program has all seeds and the first seed all programs, so that a chain joins all.
            i > 0 && j > 0 && holes[i * 4 + j] === true ? [] : [{ programHash: `${i}`, seed: j, value: program + seed }],
          ),
        );
        const strengths = programStrengths(rows);
        for (const [i, program] of programs.entries())
          expect((strengths.get(`${i}`) ?? Number.NaN) - (strengths.get('0') ?? Number.NaN)).toBeCloseTo(
            program - (programs[0] ?? 0),
            6,
          );
      }),
    );
  });

  it('keeps plain means of programs that no chain of seeds joins, and counts a repeated run once', () => {
    const strengths = programStrengths([
      { programHash: 'a', seed: 1, value: 1 },
      { programHash: 'a', seed: 1, value: 3 },
      { programHash: 'a', seed: 2, value: 8 },
      { programHash: 'b', seed: 3, value: 4 },
    ]);
    expect([...strengths]).toEqual([
      ['a', 5],
      ['b', 4],
    ]);
  });
});

describe('the words of a correlation between rungs', () => {
  const words = (small: readonly number[], large: readonly number[]): string =>
    rungCorrelations([...values('tiny', small), ...values('quick', large)], order)
      .map((pair) => `${rungPairWords(pair)}: ${rungCorrelationWords(pair)}`)
      .join();

  it('give the interval, or say what is missing for it', () => {
    expect(words([1, 2, 3, 4, 5], [1, 3, 2, 4, 5])).toMatch(
      /^tiny and quick, bits per byte: 5 programs on both: rank correlation \+0\.90, 95 % interval \[-0\.17, \+1\.00\]; chance of one as large among random orders 0\.083$/,
    );
    expect(words([1, 2, 3], [3, 2, 1])).toContain('3 programs on both: rank correlation -1.00, too few for an interval; chance');
    expect(words([1], [3])).toBe('tiny and quick, bits per byte: 1 program on both: too few to rank, three are needed');
    expect(words([1, 2, 3], [4, 4, 4])).toContain('3 programs on both: all equal on one of the rungs');
    expect(noRungMet).toContain('two rungs');
  });
});

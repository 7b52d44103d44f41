import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NoiseFloor } from '../../../workflows/contracts/campaign.ts';
import { fitnessSchema } from '../../../workflows/contracts/experiment.ts';
import { asiArchFitness, type FitnessInput, pairedGainFitness, type ScoreRow } from '../../../workflows/rules/fitness.ts';

const rows = (values: Partial<Record<ScoreRow['metric'], readonly number[]>>): ScoreRow[] =>
  Object.entries(values).flatMap(([metric, list]) =>
    list.map((value, index) => ({ metric: metric as ScoreRow['metric'], seed: index + 1, value })),
  );
const noise: NoiseFloor[] = [{ metric: 'bits-per-byte', pairedSd: 0.01, degreesOfFreedom: 3, minimumDetectable: 0.02 }];
const input: FitnessInput = {
  candidate: rows({ 'bits-per-byte': [2.4, 2.5], 'recall-accuracy': [0.5, 0.7], 'recall-auc': [1, 1.2] }),
  reference: rows({ 'bits-per-byte': [2.5, 2.7], 'recall-accuracy': [0.6, 0.6] }),
  seeds: [1, 2],
  noise,
};
const rules = { 'paired-gain': pairedGainFitness, 'asi-arch': asiArchFitness } as const;

describe('pairedGainFitness', () => {
  it('is the mean gain in bits per byte, with an effect for each metric that both have', () => {
    const result = pairedGainFitness(input);
    if (!result.ok) throw new Error(result.reason);
    expect(fitnessSchema.parse(result.fitness)).toEqual(result.fitness);
    expect(result.fitness.value).toBeCloseTo(0.15, 12);
    expect(result.fitness.effects.map(({ metric }) => metric)).toEqual(['bits-per-byte', 'recall-accuracy']);
    expect(result.fitness.effects[0]?.method).toContain('noise floor');
    expect(result.fitness.effects[1]?.method).not.toContain('noise floor');
  });

  it('has a value on one seed without a noise floor, and no interval', () => {
    const result = pairedGainFitness({ ...input, seeds: [1], noise: [] });
    expect(result).toMatchObject({ ok: true, fitness: { effects: [] } });
  });

  it('falls as the loss rises', () => {
    const loss = fc.double({ min: 0.5, max: 8, noNaN: true });
    fc.assert(
      fc.property(loss, fc.double({ min: 0.001, max: 2, noNaN: true }), (value, more) => {
        const fitnessAt = (bits: number) => {
          const result = pairedGainFitness({ ...input, candidate: rows({ 'bits-per-byte': [bits, bits] }) });
          return result.ok ? result.fitness.value : Number.NaN;
        };
        expect(fitnessAt(value + more)).toBeLessThan(fitnessAt(value));
      }),
    );
  });

  it('passes over rows of seeds that do not count, such as confirming ones', () => {
    const confirming: ScoreRow = { metric: 'bits-per-byte', seed: 51, value: 0.1 };
    expect(pairedGainFitness({ ...input, candidate: [...input.candidate, confirming] })).toEqual(pairedGainFitness(input));
  });

  it('counts every seed of the reference where none are named', () => {
    const { seeds: _, ...unnamed } = input;
    expect(pairedGainFitness(unnamed)).toEqual(pairedGainFitness(input));
    expect(pairedGainFitness({ ...unnamed, reference: [] })).toEqual({ ok: false, reason: 'the reference has no scores' });
  });
});

describe('asiArchFitness', () => {
  it("is the paper's formula, with the judge absent unless one was asked", () => {
    const result = asiArchFitness(input);
    if (!result.ok) throw new Error(result.reason);
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    expect(result.terms.loss).toBeCloseTo(sigmoid((6 * (2.6 - 2.45)) / 0.26), 12);
    expect(result.terms.benchmark).toBeCloseTo(sigmoid(0), 12);
    expect(result.terms.judge).toBeNull();
    expect(result.fitness).toMatchObject({ rule: 'asi-arch', value: result.terms.loss + result.terms.benchmark });
    const judged = asiArchFitness({ ...input, judge: 10 });
    expect(judged).toMatchObject({ ok: true, terms: { judge: 1 }, fitness: { value: result.fitness.value + 1 } });
  });

  it('stays within its window however far the scores are', () => {
    const score = fc.double({ min: 1e-9, max: 100, noNaN: true });
    fc.assert(
      fc.property(score, score, score, score, (bits, recall, bits0, recall0) => {
        const result = asiArchFitness({
          candidate: rows({ 'bits-per-byte': [bits], 'recall-accuracy': [recall] }),
          reference: rows({ 'bits-per-byte': [bits0], 'recall-accuracy': [recall0] }),
          noise: [],
        });
        if (!result.ok) throw new Error(result.reason);
        for (const term of [result.terms.loss, result.terms.benchmark]) {
          expect(term).toBeGreaterThanOrEqual(1 / (1 + Math.exp(6)) - 1e-12);
          expect(term).toBeLessThanOrEqual(1 / (1 + Math.exp(-6)) + 1e-12);
        }
      }),
    );
  });

  it('gives a whole window to anything above a reference of zero, and the middle to zero', () => {
    const against = (recall: number) =>
      asiArchFitness({
        candidate: rows({ 'bits-per-byte': [2], 'recall-accuracy': [recall] }),
        reference: rows({ 'bits-per-byte': [2], 'recall-accuracy': [0] }),
        noise: [],
      });
    expect(against(0)).toMatchObject({ terms: { benchmark: 0.5 } });
    expect(against(0.01)).toMatchObject({ terms: { benchmark: 1 / (1 + Math.exp(-6)) } });
  });

  it.each([0, 11, Number.NaN])('refuses a judge that gave %s', (judge) => {
    expect(asiArchFitness({ ...input, judge })).toMatchObject({ ok: false });
  });

  it('needs the recall accuracy too', () => {
    expect(asiArchFitness({ ...input, candidate: rows({ 'bits-per-byte': [2, 2] }) })).toEqual({
      ok: false,
      reason: 'the candidate has no recall-accuracy score on seed 1',
    });
  });
});

describe.each(Object.entries(rules))('fitness by %s', (_, rule) => {
  it.each(['candidate', 'reference'] as const)('is a failure and no number where a score of the %s is missing', (side) => {
    expect(rule({ ...input, [side]: input[side].filter((row) => row.seed !== 2) })).toEqual({
      ok: false,
      reason: `the ${side} has no bits-per-byte score on seed 2`,
    });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'is a failure and no number where a loss is %s',
    (value) => {
      const candidate = input.candidate.map((row) =>
        row.metric === 'bits-per-byte' && row.seed === 2 ? { ...row, value } : row,
      );
      expect(rule({ ...input, candidate })).toEqual({
        ok: false,
        reason: `the candidate has the bits-per-byte score ${value} on seed 2, which is not a finite number`,
      });
    },
  );

  it('is a failure where no seed counts', () => {
    expect(rule({ ...input, seeds: [] })).toMatchObject({ ok: false });
  });
});

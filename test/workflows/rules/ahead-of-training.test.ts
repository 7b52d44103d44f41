import { describe, expect, it } from 'vitest';
import { aheadLimit, aheadOfTraining, beyondBaselines, trainingDoubt } from '../../../workflows/rules/ahead-of-training.ts';
import { aTrial } from '../../support/builders.ts';

const point = (task: string, step: number, bits: number | null) => ({
  ...{ task, step, cpuSeconds: 1 },
  loss: bits === null ? null : bits * Math.LN2,
});
const usage = { trainSeconds: 1, answerSeconds: 1, timesExpected: 1, timesReference: 1, mark: null };
const explored = (aheadOfBaselines: number | null) => aTrial({ purpose: 'explore', usage: { ...usage, aheadOfBaselines } });

describe('how far a score lies below the loss of its training', () => {
  const rows = [{ metric: 'bits-per-byte', value: 3.1 }] as const;

  it('is told by the last loss on bytes', () => {
    const curve = [point('bytes', 60, 3.6), point('bytes', 120, 3.25), point('recall', 60, 1)];
    expect(aheadOfTraining(curve, rows)).toBeCloseTo(0.15);
  });

  it('is not known without a loss or without a score', () => {
    expect(aheadOfTraining([], rows)).toBeNull();
    expect(aheadOfTraining([point('recall', 60, 1)], rows)).toBeNull();
    expect(aheadOfTraining([point('bytes', 60, null)], rows)).toBeNull();
    expect(aheadOfTraining([point('bytes', 60, 3)], [{ metric: 'copy-loss', value: 1 }])).toBeNull();
  });

  it('counts beyond what the baselines have, since held-out text may be easier for all', () => {
    expect(beyondBaselines(0.9, [0.7, 0.5, 0.6, null, undefined])).toBeCloseTo(0.3);
    expect(beyondBaselines(0.9, [null, undefined])).toBeNull();
    expect(beyondBaselines(null, [0.1])).toBeNull();
  });
});

describe('the doubt', () => {
  it('is there past the limit, by the middle of the exploring trials', () => {
    expect(trainingDoubt([explored(aheadLimit), explored(aheadLimit)])).toBeNull();
    expect(trainingDoubt([explored(0.1), explored(3), explored(0.2)])).toBeNull();
    expect(trainingDoubt([explored(0.74), explored(0.8)])).toContain('lie 0.77 bits per byte further below the loss');
  });

  it('is not there where nothing is known', () => {
    expect(trainingDoubt([])).toBeNull();
    expect(trainingDoubt([explored(null), aTrial({ purpose: 'explore' })])).toBeNull();
  });

  it('is of the learning rate first', () => {
    const fast = aTrial({ purpose: 'confirm', usage: { ...usage, timesPull: 9 } });
    expect(trainingDoubt([fast, explored(2)])).toContain('learns at a higher rate');
  });
});

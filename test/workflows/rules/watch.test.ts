import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TrainProgress } from '../../../workflows/contracts/trial.ts';
import { type WatchInput, type WatchVerdict, watchLimits, watchTrial } from '../../../workflows/rules/watch.ts';

const steps = 80;
const nats = (bits: number): number => bits * Math.LN2;
/** A healthy curve of the byte task in nats: from 5.5 down to about 2. */
const healthy = (step: number): number => 2 + 3.5 * Math.exp(-step / 15);
const linesTo = (
  last: number,
  loss: (step: number) => number | null = healthy,
  part: Partial<TrainProgress> = {},
): TrainProgress[] =>
  Array.from({ length: last / 5 }, (_, index) => {
    const step = 5 * (index + 1);
    return { task: 'bytes', step, steps, loss: loss(step), tokens: step * 2048, cpuSeconds: 1 + step / 10, ...part };
  });
const peer = (behindBits = 0, last = steps): WatchInput['peers'][number] => ({
  curve: linesTo(last, (step) => healthy(step) + nats(behindBits)).map(({ task, step, loss, cpuSeconds }) => ({
    task,
    step,
    loss,
    cpuSeconds,
  })),
});
const peers = [peer(-0.05), peer(0), peer(0.05), peer(0.4)];
const watch = (lines: readonly TrainProgress[], part: Partial<WatchInput> = {}): WatchVerdict =>
  watchTrial({ lines, peers, referenceTokensPerCpuSecond: 20_000, ...part });
const goOn = { kind: 'continue' };
const behind = (bits: number) => (step: number) => healthy(step) + nats(bits);

describe('watchTrial', () => {
  it('lets a healthy run go on at every step', () => {
    expect(watch([])).toEqual(goOn);
    for (let step = 5; step <= steps; step += 5) expect(watch(linesTo(step))).toEqual(goOn);
  });

  it.each([null, Number.NaN, Number.POSITIVE_INFINITY])('stops at once where the loss is %s', (loss) => {
    expect(watch(linesTo(10, (step) => (step === 10 ? loss : healthy(step))))).toEqual({
      kind: 'stop',
      label: 'nonfinite',
      detail: 'the training loss is not finite at task bytes, step 10 of 80',
    });
  });

  it('stops a loss that stays far above its first value', () => {
    const rising = (step: number) => (step === 5 ? 4 : 6.1);
    expect(watch(linesTo(15, rising))).toEqual(goOn);
    expect(watch(linesTo(20, rising))).toEqual({
      kind: 'stop',
      label: 'diverged',
      detail:
        'the training loss at task bytes, step 20 of 80 is 6.100, above 1.5 times its first value 4.000 on 3 lines in a row',
    });
    expect(watch(linesTo(20, (step) => (step === 5 ? 4 : step === 15 ? 3.9 : 6.1)))).toEqual(goOn);
    expect(watch(linesTo(20, (step) => (step === 5 ? 4 : 5.9)))).toEqual(goOn);
  });

  it('measures each task from its own start', () => {
    const bytes = linesTo(steps, () => 1);
    const recall = linesTo(40, () => 3.4).map((line) => ({
      ...line,
      task: 'recall' as const,
      cpuSeconds: line.cpuSeconds + 100,
    }));
    expect(watch([...bytes, ...recall])).toEqual(goOn);
  });

  it('stops a run far slower than the reference, once it was measured long enough', () => {
    const slow = (perStep: number, last: number) =>
      linesTo(last).map((line) => ({ ...line, cpuSeconds: 1 + perStep * line.step }));
    const tooSlow = (watchLimits.slowFactor * 2048 * 1.05) / 20_000;
    expect(watch(slow(tooSlow, 10))).toEqual(goOn); // 4.3 CPU seconds between the lines.
    expect(watch(slow(tooSlow, 15))).toMatchObject({ kind: 'stop', label: 'too_slow' });
    expect(watch(slow(tooSlow * 0.9, 15))).toEqual(goOn);
    expect(watch(slow(tooSlow, 15), { referenceTokensPerCpuSecond: null })).toEqual(goOn);
    const late = slow(tooSlow, 15).map((line) => ({ ...line, cpuSeconds: line.cpuSeconds + 1000 }));
    expect(watch(late.slice(0, 1))).toEqual(goOn); // A slow start alone is no measure.
    expect(watch(slow(tooSlow, 15))).toHaveProperty(
      'detail',
      expect.stringMatching(/^2381 tokens a CPU second at .*reference makes 20000, and 8 times slower is the limit$/),
    );
  });

  it('never calls a run hopeless before two fifths of its steps', () => {
    for (let step = 5; step < 0.4 * steps; step += 5)
      expect(watch(linesTo(step, behind(9)))).not.toHaveProperty('label', 'hopeless');
  });

  it('calls a run hopeless that is behind the median of its peers by the margin of its stage', () => {
    expect(watch(linesTo(35, behind(0.27)))).toEqual(goOn);
    expect(watch(linesTo(35, behind(0.37)))).toMatchObject({ label: 'hopeless' });
    expect(watch(linesTo(40, behind(0.12)))).toEqual(goOn);
    expect(watch(linesTo(40, behind(0.24)))).toEqual({
      kind: 'stop',
      label: 'hopeless',
      detail:
        'at task bytes, step 40 of 80 the training loss is 0.215 bits a byte behind the median of 4 finished trials at the same step; the margin is 0.15',
    });
  });

  it('lets a run end that is nearly over: a score teaches more than what is saved', () => {
    expect(watch(linesTo(60, behind(3)))).toMatchObject({ label: 'hopeless' });
    expect(watch(linesTo(65, behind(3)))).toEqual(goOn);
    expect(watch(linesTo(steps, behind(3)))).toEqual(goOn);
  });

  it('widens its margin to three paired deviations on a noisy rung', () => {
    expect(watch(linesTo(40, behind(0.24)), { pairedSdBits: 0.04 })).toMatchObject({ label: 'hopeless' });
    expect(watch(linesTo(40, behind(0.24)), { pairedSdBits: 0.09 })).toEqual(goOn);
    expect(watch(linesTo(40, behind(0.32)), { pairedSdBits: 0.09 })).toHaveProperty(
      'detail',
      expect.stringMatching(/the margin is 0\.27$/),
    );
    expect(watch(linesTo(40, behind(0.24)), { pairedSdBits: null })).toMatchObject({ label: 'hopeless' });
  });

  it('averages over a few lines, so that one spike ends nothing', () => {
    expect(watch(linesTo(50, (step) => healthy(step) + (step === 50 ? nats(0.3) : 0)))).toEqual(goOn);
  });

  it('needs three peers that came as far', () => {
    const lost = linesTo(50, behind(2));
    expect(watch(lost, { peers: [] })).toEqual(goOn);
    expect(watch(lost, { peers: [peer(), peer()] })).toEqual(goOn);
    expect(watch(lost, { peers: [peer(), peer(), peer(0, 45)] })).toEqual(goOn);
    expect(watch(lost, { peers: [peer(), peer(), peer()] })).toMatchObject({ label: 'hopeless' });
    const holed = { curve: peer().curve.map((point) => (point.step === 45 ? { ...point, loss: null } : point)) };
    expect(watch(lost, { peers: [peer(), peer(), holed] })).toEqual(goOn);
  });

  it('passes over a run of its own that had a gap', () => {
    const gap = linesTo(50, (step) => (step === 45 ? null : behind(2)(step)));
    expect(watch(gap)).toEqual(goOn);
    expect(watch(linesTo(20, (step) => (step === 5 ? null : 9)))).toEqual(goOn);
  });

  it('judges the byte task alone: recall waits for a sudden transition', () => {
    const recall = linesTo(60, behind(2), { task: 'recall' });
    const theirs = [0, 1, 2].map(() => ({ curve: peer().curve.map((point) => ({ ...point, task: 'recall' })) }));
    expect(watch(recall, { peers: theirs })).toEqual(goOn);
  });

  it('never stops the median run or a better one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 }), fc.double({ min: 0, max: 1, noNaN: true }), (line, better) => {
        expect(watch(linesTo(5 * line, (step) => Math.max(0.1, healthy(step) - better)))).toEqual(goOn);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rungs } from '../../../workflows/contracts/rung.ts';
import {
  checkpointsOf,
  firstDifference,
  isPast,
  isRepeatedEnough,
  stepsToRepeat,
} from '../../../workflows/rules/repeat-training.ts';

const at = (step: number, loss: number | null, task = 'bytes') => ({ task, step, loss, cpuSeconds: step });

describe('a training that is repeated', () => {
  it('is the same where each point that came again is the same number', () => {
    const losses = fc.array(fc.option(fc.double({ noNaN: true }), { nil: null }), { maxLength: 8 });
    fc.assert(
      fc.property(losses, fc.nat(8), (values, length) => {
        const curve = values.map((loss, index) => at(5 * (index + 1), loss));
        const again = curve.slice(0, length).map((point) => ({ ...point, cpuSeconds: point.cpuSeconds + 1 }));
        expect(firstDifference(curve, again, 'again')).toBeNull();
      }),
    );
  });

  it('is another one by the last bit of one loss, and says where', () => {
    const curve = [at(5, 3.25), at(10, 3), at(5, 3, 'recall')];
    expect(firstDifference(curve, [at(5, 3.25), at(10, 3 + 2 ** -51)], 'again')).toMatch(
      /task bytes at step 10 was 3\.0000000000000004 instead of 3;/,
    );
    expect(firstDifference(curve, [at(5, null, 'recall')], 'again')).toContain('task recall at step 5 was null instead of 3;');
    expect(firstDifference(curve, [at(6, 3)], 'again')).toContain('task bytes at step 6, which it did not before');
  });

  it('has seen enough after a tenth of the first task, or where its task ends', () => {
    expect(stepsToRepeat(rungs.quick)).toBe(12);
    const start = { task: 'bytes', step: 0 } as const;
    expect(isRepeatedEnough(at(10, 1), start, rungs.quick)).toBe(false);
    expect(isRepeatedEnough(at(15, 1), start, rungs.quick)).toBe(true);
    expect(isRepeatedEnough(at(5, 1, 'recall'), start, rungs.quick)).toBe(true);
    const midst = { task: 'recall', step: 60 } as const;
    expect(isRepeatedEnough(at(70, 1, 'recall'), midst, rungs.quick)).toBe(false);
    expect(isRepeatedEnough(at(75, 1, 'recall'), midst, rungs.quick)).toBe(true);
  });

  it('can be gone on with from every checkpoint inside a task', () => {
    const of = (task: string, steps: readonly number[]) => steps.map((step) => ({ task, step }));
    expect(checkpointsOf(rungs.quick, 20)).toEqual([...of('bytes', [20, 40, 60, 80, 100]), ...of('recall', [20, 40, 60])]);
    expect(checkpointsOf(rungs.tiny, 20)).toEqual([]);
  });

  it('has kept a checkpoint when it reports a later step, and not yet when it reports that one', () => {
    const place = { task: 'bytes', step: 100 } as const;
    expect(isPast(at(100, 1), place, rungs.quick)).toBe(false);
    expect(isPast(at(105, 1), place, rungs.quick)).toBe(true);
    expect(isPast(at(5, 1, 'recall'), place, rungs.quick)).toBe(true);
    expect(isPast(at(120, 1), { task: 'recall', step: 20 }, rungs.quick)).toBe(false);
  });
});

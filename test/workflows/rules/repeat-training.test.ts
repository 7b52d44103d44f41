import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rungs } from '../../../workflows/contracts/rung.ts';
import { firstDifference, isRepeatedEnough, stepsToRepeat } from '../../../workflows/rules/repeat-training.ts';

const at = (step: number, loss: number | null, task = 'bytes') => ({ task, step, loss, cpuSeconds: step });

describe('a training that is repeated', () => {
  it('is the same where each point that came again is the same number', () => {
    const losses = fc.array(fc.option(fc.double({ noNaN: true }), { nil: null }), { maxLength: 8 });
    fc.assert(
      fc.property(losses, fc.nat(8), (values, length) => {
        const curve = values.map((loss, index) => at(5 * (index + 1), loss));
        const again = curve.slice(0, length).map((point) => ({ ...point, cpuSeconds: point.cpuSeconds + 1 }));
        expect(firstDifference(curve, again)).toBeNull();
      }),
    );
  });

  it('is another one by the last bit of one loss, and says where', () => {
    const curve = [at(5, 3.25), at(10, 3), at(5, 3, 'recall')];
    expect(firstDifference(curve, [at(5, 3.25), at(10, 3 + 2 ** -51)])).toMatch(
      /task bytes at step 10 was 3\.0000000000000004 instead of 3;/,
    );
    expect(firstDifference(curve, [at(5, null, 'recall')])).toContain('task recall at step 5 was null instead of 3;');
    expect(firstDifference(curve, [at(6, 3)])).toContain('task bytes at step 6, which it did not before');
  });

  it('has seen enough after a tenth of the first task', () => {
    expect(stepsToRepeat(rungs.quick)).toBe(14);
    expect(isRepeatedEnough(at(10, 1), rungs.quick)).toBe(false);
    expect(isRepeatedEnough(at(15, 1), rungs.quick)).toBe(true);
    expect(isRepeatedEnough(at(5, 1, 'recall'), rungs.quick)).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import type { ModelSize } from '../../../workflows/contracts/architecture.ts';
import { type Rung, rungs } from '../../../workflows/contracts/rung.ts';
import { clockDoubt, type Effort, judgeEffort } from '../../../workflows/rules/training-effort.ts';
import { aModelSize } from '../../support/builders.ts';
import measured from './measured-efforts.json' with { type: 'json' };

const rung: Rung = rungs.quick;
const byName = new Map(measured.programs.map(({ name, ...effort }) => [name, effort as Effort]));
const effort = (name: string): Effort => byName.get(name) ?? expect.fail(`${name} was not measured`);
const baselines = ['deltanet', 'ssd', 'kda', 'deltanet-fir-gate'].map(effort);
const times = (name: string, factor: number): Effort => {
  const honest = effort(name);
  return { ...honest, trainSeconds: factor * honest.trainSeconds };
};
const names = measured.programs.map(({ name }) => name);

describe('judgeEffort', () => {
  it('was measured on every honest program', () => {
    expect(names).toHaveLength(26);
  });

  it.each(names)('lets the training of %s pass, even where load makes it half as long again', (name) => {
    expect(judgeEffort({ rung, own: times(name, 1), baselines }).kind).toBe('plain');
    expect(judgeEffort({ rung, own: times(name, 1.5), baselines }).kind).not.toBe('refused');
  });

  it.each(names)('refuses three times the training of %s, and says by how much', (name) => {
    const verdict = judgeEffort({ rung, own: times(name, 3), baselines });
    expect(verdict.kind).toBe('refused');
    expect(verdict.timesExpected).toBeGreaterThan(2);
    expect(verdict.detail).toContain(`${(3 * effort(name).trainSeconds).toFixed(1)} CPU seconds`);
  });

  it('marks what lies between the limits', () => {
    const verdict = judgeEffort({ rung, own: times('deltanet', 2.1), baselines });
    expect(verdict.kind).toBe('marked');
    expect(verdict.detail).toContain('times what the baselines lead to expect');
  });

  it('believes either estimate: an operator that counting takes for cheap is slow in answering too', () => {
    const own = effort('linear_attention_cumsum');
    expect(judgeEffort({ rung, own: { ...own, answerSeconds: null }, baselines }).kind).toBe('marked');
    expect(judgeEffort({ rung, own, baselines }).kind).toBe('plain');
  });

  it('refuses nothing on one estimate alone', () => {
    const own = times('deltanet', 5);
    expect(judgeEffort({ rung, own: { ...own, answerSeconds: null }, baselines }).kind).toBe('marked');
    const uncounted = own.sizes.map(({ operators: _, ...size }): ModelSize => size);
    expect(judgeEffort({ rung, own: { ...own, sizes: uncounted }, baselines }).kind).toBe('marked');
  });

  it('is set by the machine: on one ten times slower the same programs are judged the same', () => {
    const slower = (one: Effort): Effort => ({
      ...one,
      trainSeconds: 10 * one.trainSeconds,
      answerSeconds: 10 * (one.answerSeconds ?? 0),
    });
    const own = slower(times('gla', 3));
    expect(judgeEffort({ rung, own, baselines: baselines.map(slower) }).kind).toBe('refused');
    expect(judgeEffort({ rung, own: slower(effort('gla')), baselines: baselines.map(slower) }).kind).toBe('plain');
  });

  it('says nothing of trials too short to be measured, or without a baseline', () => {
    const short = { sizes: [aModelSize()], trainSeconds: 0.9, answerSeconds: 0.1 };
    expect(judgeEffort({ rung, own: short, baselines: [{ ...short, trainSeconds: 0.1 }] }).kind).toBe('plain');
    expect(judgeEffort({ rung, own: times('deltanet', 9), baselines: [] })).toMatchObject({
      kind: 'plain',
      timesExpected: null,
    });
  });
});

describe('clockDoubt', () => {
  it('tells a process that claims much less time than the supervisor measured', () => {
    expect(clockDoubt({ claimedSeconds: 1, measuredSeconds: 12 })).toBe(
      'the training claims 1.0 CPU seconds; the supervisor measured 12.0',
    );
  });

  it.each([
    [10, 10],
    [10, 12],
    [0.1, 3],
    [40, 9],
  ])('takes %f seconds where %f were measured', (claimedSeconds, measuredSeconds) => {
    expect(clockDoubt({ claimedSeconds, measuredSeconds })).toBeNull();
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Archive } from '../../../services/archive/archive.ts';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { createLiveCurve } from '../../../workers/activities/live-curve.ts';
import type { TrainProgress, Trial } from '../../../workflows/contracts/trial.ts';
import { aTrial } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const line = (step: number, task: TrainProgress['task'] = 'bytes'): TrainProgress => ({
  task,
  step,
  steps: 80,
  loss: 5 - step / 40,
  tokens: step,
  cpuSeconds: step / 10,
});

const claimed = async (curve: Trial['curve'] = []): Promise<{ readonly archive: Archive; readonly trial: Trial }> => {
  const archive = openSqliteArchive(join(temporaryFolder(), 'archive.db'));
  const { value } = await archive.createTrial(aTrial({ curve }));
  const written = await archive.claimTrial(value.id);
  if (!written.ok) throw new Error('the trial was not claimed');
  return { archive, trial: written.value };
};

const stepsOf = (curve: Trial['curve'] | undefined): readonly string[] =>
  (curve ?? []).map(({ task, step }) => `${task} ${step}`);

describe('the curve of a running trial', () => {
  it('is in the record while the trial runs', async () => {
    const { archive, trial } = await claimed();
    const live = createLiveCurve({ archive, trial, gapMs: 0, now: () => new Date() });
    live.onProgress(line(5));
    await live.end();
    expect(await archive.getTrial(trial.id)).toMatchObject({
      state: 'running',
      curve: [{ task: 'bytes', step: 5, loss: 4.875 }],
    });
  });

  it('is written no more often than the gap allows, and whole at the end for whoever asks', async () => {
    const { archive, trial } = await claimed();
    let nowMs = 0;
    const live = createLiveCurve({ archive, trial, gapMs: 1000, now: () => new Date(nowMs) });
    for (const step of [5, 10, 15]) {
      live.onProgress(line(step));
      await new Promise((resolve) => setImmediate(resolve));
      nowMs += 400;
    }
    expect(stepsOf((await archive.getTrial(trial.id))?.curve)).toEqual(['bytes 5']);
    expect(stepsOf(await live.end())).toEqual(['bytes 5', 'bytes 10', 'bytes 15']);
  });

  it('keeps the points of an earlier attempt and replaces those that a resume reports again', async () => {
    const before = [5, 10, 15].map((step) => ({ task: 'bytes', step, loss: 9, cpuSeconds: 1 }));
    const { archive, trial } = await claimed(before);
    const live = createLiveCurve({ archive, trial, gapMs: 0, now: () => new Date() });
    live.onProgress(line(10));
    live.onProgress(line(5, 'recall'));
    const curve = await live.end();
    expect(stepsOf(curve)).toEqual(['bytes 5', 'bytes 10', 'recall 5']);
    expect(curve[1]?.loss).toBe(4.75);
  });

  it('writes nothing once it has ended', async () => {
    const { archive, trial } = await claimed();
    const live = createLiveCurve({ archive, trial, gapMs: 0, now: () => new Date() });
    await live.end();
    live.onProgress(line(5));
    await new Promise((resolve) => setImmediate(resolve));
    expect((await archive.getTrial(trial.id))?.curve).toEqual([]);
  });

  it('goes on when another worker has taken the trial over', async () => {
    const { archive, trial } = await claimed();
    await archive.claimTrial(trial.id);
    const live = createLiveCurve({ archive, trial, gapMs: 0, now: () => new Date() });
    live.onProgress(line(5));
    expect(stepsOf(await live.end())).toEqual(['bytes 5']);
    expect((await archive.getTrial(trial.id))?.curve).toEqual([]);
  });
});

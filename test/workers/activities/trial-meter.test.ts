import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Archive } from '../../../services/archive/archive.ts';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { createMeter } from '../../../workers/activities/trial-meter.ts';
import { aTrial } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const opened = async () => {
  const archive = openSqliteArchive(join(temporaryFolder(), 'archive.db'));
  const { value } = await archive.createTrial(aTrial({ cpuSeconds: 0 }));
  return { archive, id: value.id };
};

/** A worker takes the trial, and its clock goes on by a second with each look. */
const worker = async (archive: Archive, id: string) => {
  const claimed = await archive.claimTrial(id);
  if (!claimed.ok) throw new Error('the trial was not claimed');
  let nowMs = 0;
  const now = () => {
    nowMs += 1000;
    return new Date(nowMs);
  };
  return { trial: claimed.value, meter: createMeter({ archive, trial: claimed.value, now }) };
};

describe('the seconds of a trial', () => {
  it('stay in its record when the worker dies in the midst of a run, and the next attempt adds to them', async () => {
    const { archive, id } = await opened();
    const dead = await worker(archive, id);
    dead.meter.count('train', { runId: 'a', cpuSeconds: 7 });
    await expect.poll(async () => (await archive.getTrial(id))?.cpuSeconds).toBe(7);
    const next = await worker(archive, id);
    next.meter.count('train', { runId: 'b', cpuSeconds: 2 });
    expect((await next.meter.sums()).cpuSeconds).toBe(9);
    expect((await archive.getTrial(id))?.cpuSeconds).toBe(9);
  });

  it('count once for a run that a second attempt attaches to, or whose stored end it meets', async () => {
    const { archive, id } = await opened();
    const first = await worker(archive, id);
    first.meter.count('train', { runId: 'a', cpuSeconds: 7 });
    await first.meter.sums();
    const second = await worker(archive, id);
    second.meter.count('train', { runId: 'a', cpuSeconds: 8 });
    expect((await second.meter.sums()).cpuSeconds).toBe(8);
  });

  it('are those of every kind of run, each told apart', async () => {
    const { archive, id } = await opened();
    const { meter } = await worker(archive, id);
    meter.count('train', { runId: 'a', cpuSeconds: 4 });
    meter.count('repeat', { runId: 'b', cpuSeconds: 1 });
    meter.count('answer', { runId: 'c', cpuSeconds: 2 });
    const { spent, cpuSeconds } = await meter.sums();
    expect(cpuSeconds).toBe(7);
    expect(spent.map(({ work, seconds }) => [work, seconds])).toEqual([
      ['train', 4],
      ['repeat', 1],
      ['answer', 2],
    ]);
  });

  it('are not written by a worker that lost the trial to another', async () => {
    const { archive, id } = await opened();
    const late = await worker(archive, id);
    await archive.claimTrial(id);
    late.meter.count('train', { runId: 'a', cpuSeconds: 5 });
    await late.meter.sums();
    expect((await archive.getTrial(id))?.cpuSeconds).toBe(0);
  });
});

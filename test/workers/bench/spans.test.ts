import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gapsOf, readSpans, type Span, withSpans } from '../../../workers/bench/spans.ts';
import type { Host } from '../../../workers/roles/roles.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const span = (command: Span['command'], startedAtMs: number, endedAtMs: number): Span => ({ command, startedAtMs, endedAtMs });

describe('gaps between trainings', () => {
  it('count what runs between them as no idle time', () => {
    const spans = [span('train', 0, 100), span('answer', 110, 160), span('train', 200, 300)];
    expect(gapsOf(spans, 1)).toEqual({
      count: 1,
      betweenMs: { p50: 100, p95: 100, max: 100 },
      idleMs: { p50: 50, p95: 50, max: 50 },
    });
  });

  it('are those of each slot', () => {
    const spans = [span('train', 0, 100), span('train', 0, 150), span('train', 120, 200), span('train', 151, 300)];
    const { count, idleMs } = gapsOf(spans, 2);
    expect([count, idleMs.p50, idleMs.max]).toEqual([2, 20, 20]);
  });
});

describe('a host with spans', () => {
  const end = { label: null, detail: '', wallSeconds: 0, cpuSeconds: 0, peakMemoryBytes: 0, logTail: '' };
  const job = {
    id: 'a',
    command: 'train',
    requestPath: '',
    workdir: '',
    channel: null,
    limits: { wallSeconds: 1, idleSeconds: 1, memoryBytes: 1, logBytes: 1 },
  } as const;
  const silent = [() => undefined, () => undefined] as const;
  const hostThat = (run: Host['run']): Host => ({
    run,
    start: () => Promise.reject(new Error('not asked for')),
    cancel: () => undefined,
    close: () => Promise.resolve(),
  });

  it('writes a line for each job that has ended, however it ended', async () => {
    const path = join(temporaryFolder(), 'spans.jsonl');
    const good = hostThat(async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return end;
    });
    expect(await withSpans(good, path).run(job, ...silent)).toEqual(end);
    const bad = hostThat(() => Promise.reject(new Error('gone')));
    await expect(withSpans(bad, path).run({ ...job, command: 'answer' }, ...silent)).rejects.toThrow('gone');
    const [first, second] = readSpans(path);
    expect([first?.command, second?.command]).toEqual(['train', 'answer']);
    expect((first?.endedAtMs ?? 0) - (first?.startedAtMs ?? 0)).toBeGreaterThanOrEqual(25);
  });
});

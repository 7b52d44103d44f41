import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DiskWatch } from '../../../workers/supervisor/disk-watch.ts';

describe('the watch over the disk', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const watched = (free: { bytes: number }) => {
    const lines: string[] = [];
    const watch = new DiskWatch({
      home: '/state',
      floorBytes: 100e6,
      onLine: (line) => lines.push(line),
      everyMs: 1000,
      readFreeBytes: () => free.bytes,
    });
    return { lines, watch };
  };

  it('says once that space runs out and once that it is back', () => {
    const free = { bytes: 900e6 };
    const { lines, watch } = watched(free);
    vi.advanceTimersByTime(3000);
    expect([lines, watch.note]).toEqual([[], null]);
    free.bytes = 90e6;
    vi.advanceTimersByTime(5000);
    expect(lines).toEqual([
      expect.stringMatching(/disk of \/state: 90 MB free \(90000000 bytes\), 200 MB needed; .*; free some there/),
    ]);
    expect(watch.note).toContain('90 MB free');
    free.bytes = 150e6;
    vi.advanceTimersByTime(5000);
    expect(lines).toHaveLength(1);
    free.bytes = 250e6;
    vi.advanceTimersByTime(5000);
    expect(lines.slice(1)).toEqual(['there is space again on the disk of /state: 250 MB free']);
    expect(watch.note).toBeNull();
  });

  it('looks at once, and no more after its end', () => {
    const free = { bytes: 1 };
    const { lines, watch } = watched(free);
    expect(lines).toHaveLength(1);
    watch.stop();
    free.bytes = 900e6;
    vi.advanceTimersByTime(5000);
    expect(lines).toHaveLength(1);
  });
});

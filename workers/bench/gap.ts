import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../config.ts';
import { benchDiscover } from './discover.ts';
import { type Gaps, gapsOf, readSpans } from './spans.ts';

export interface GapBench {
  readonly exitCode: number;
  readonly slots: number;
  readonly gaps: Gaps;
}

/** One whole `discover` on the real host, whose trainer writes down when its jobs ran. */
export const benchGap = async (preset: string, signal: AbortSignal): Promise<GapBench> => {
  const folder = mkdtempSync(join(tmpdir(), 'asi-gap-'));
  const path = join(folder, 'spans.jsonl');
  const { slots } = readConfig();
  try {
    const { exitCode } = await benchDiscover(['--preset', preset, '--slots', String(slots)], {
      signal,
      environment: { ASI_SPANS: path },
    });
    return { exitCode, slots, gaps: gapsOf(exitCode === 0 ? readSpans(path) : [], slots) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DiskFullError, freeBytes, isDiskFull, requireSpace } from '../../../services/storage/disk-space.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const systemError = (code: string): Error => Object.assign(new Error(`${code}: write`), { code });

describe('space on a disk', () => {
  it('is that of the nearest parent for a folder that is not there yet', () => {
    const folder = temporaryFolder();
    const { bsize, blocks } = statfsSync(folder);
    const free = freeBytes(join(folder, 'not', 'yet'));
    expect(free).toBeGreaterThan(0);
    expect(free).toBeLessThanOrEqual(bsize * blocks);
  });

  it('is asked for with folder, free bytes, need and remedy', () => {
    const folder = temporaryFolder();
    requireSpace(folder, 1);
    const needed = 10 ** 18;
    expect(() => requireSpace(folder, needed)).toThrow(DiskFullError);
    expect(() => requireSpace(folder, needed)).toThrow(
      new RegExp(`disk of ${folder}: \\d+ MB free \\(\\d+ bytes\\), 1000000000000 MB needed; free some there`),
    );
  });

  it('is seen to be missing in every form of the error', () => {
    for (const code of ['ENOSPC', 'EDQUOT']) {
      expect(isDiskFull(systemError(code))).toBe(true);
      expect(isDiskFull(new Error('wrapped', { cause: systemError(code) }))).toBe(true);
    }
    expect(isDiskFull(systemError('EACCES'))).toBe(false);
    expect(isDiskFull('ENOSPC')).toBe(false);
  });

  it('is not called short where bytes are left but the system takes none', () => {
    const error = new DiskFullError({ folder: '/f', freeBytes: 2e9, neededBytes: 5e8 }, { cause: systemError('EDQUOT') });
    expect(error.message).toMatch(/^the disk of \/f takes no more \(EDQUOT: write\); free some there/);
  });
});

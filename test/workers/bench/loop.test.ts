import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkoutFolder } from '../../../workers/config.ts';
import { isAlive, processTree } from '../../support/process-tree.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe.skipIf(process.env.ASI_TEMPORAL === undefined)('npm run bench -- loop (needs ASI_TEMPORAL)', () => {
  it('takes its stack down and exits 143 on SIGTERM', async () => {
    const temporary = join(temporaryFolder(), 'tmp');
    mkdirSync(temporary);
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(checkoutFolder, 'workers', 'bench.ts'), 'loop', '5000'],
      { env: { ...process.env, TMPDIR: temporary }, stdio: 'ignore' },
    );
    const code = new Promise<number | null>((resolve) => {
      child.once('close', resolve);
    });
    await expect.poll(() => readdirSync(temporary).length, { timeout: 30_000 }).toBe(1);
    // Some seconds into the campaign.
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    const tree = processTree(child.pid ?? 0);
    expect(tree.length).toBeGreaterThan(1);
    child.kill('SIGTERM');
    expect(await code).toBe(143);
    expect(tree.filter(isAlive)).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
  }, 90_000);
});

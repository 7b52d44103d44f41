import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../workers/config.ts';
import { findStack, startStack } from '../../../workers/supervisor/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { runAsi } from './run-asi.ts';

const belowAFile = (): string => {
  const file = join(temporaryFolder(), 'plain');
  writeFileSync(file, '');
  return join(file, 'home');
};

describe('an ASI_HOME that cannot be', () => {
  it.each([
    [['campaign', 'list']],
    [['lineage']],
    [['show', 'e1']],
    [['campaign', 'start']],
    [['campaign', 'watch']],
    [['leaderboard']],
  ])('below a file is named with the remedy by asi %s', async (words) => {
    const home = belowAFile();
    const ran = await runAsi(words, { home });
    expect(ran.exitCode).toBe(2);
    expect(ran.err).toContain(`ASI_HOME=${home} cannot be used`);
    expect(ran.err).toContain('is a file, not a folder. Mend that, set ASI_HOME to a folder of yours');
  });

  it('that no folder can be made in is named by what writes', async () => {
    const ran = await runAsi(['campaign', 'start'], { home: '/proc/x' });
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toMatch(/ASI_HOME=\/proc\/x cannot be used: \/proc\/x cannot be made .*set ASI_HOME to a folder of yours/);
  });

  it.each(['bundles', 'reports'])('has a file in the place of its %s, before anything is trained', async (name) => {
    const home = temporaryFolder();
    writeFileSync(join(home, name), '');
    const config = readConfig({ ASI_HOME: home, ASI_PYTHON: 'python3', ASI_TEMPORAL: 'temporal' });
    const words = `ASI_HOME=${home} cannot be used: ${join(home, name)} is a file, not a folder`;
    await expect(startStack({ config, roles: [], onLine: () => {} })).rejects.toThrow(words);
    const { out } = await runAsi(['doctor', '--json'], { home });
    expect(JSON.parse(out)).toContainEqual(
      expect.objectContaining({ name: 'state folder', found: expect.stringContaining(words) }),
    );
  });

  it('ends the start of a stack at once', async () => {
    const config = readConfig({ ASI_HOME: '/proc/x', ASI_PYTHON: 'python3', ASI_TEMPORAL: 'temporal' });
    await expect(startStack({ config, roles: [], onLine: () => {} })).rejects.toThrow('ASI_HOME=/proc/x cannot be used');
  });

  it('holds no stack', () => {
    expect(findStack(belowAFile())).toBeNull();
  });

  it('is a row of the doctor', async () => {
    const { out } = await runAsi(['doctor', '--json'], { home: '/proc/x' });
    expect(JSON.parse(out)).toContainEqual(
      expect.objectContaining({
        name: 'state folder',
        status: 'missing',
        // It makes nothing, so that it cannot know that nothing can be made there; that there is no room it sees.
        found: '/proc/x has only 0 B left',
        remedy: expect.stringContaining('set ASI_HOME to a folder on another'),
      }),
    );
  });
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { openSqliteVectors } from '../../../services/vectors/sqlite-vectors.ts';
import { CliContext } from '../../../workers/cli/context.ts';
import { buildDiscoverProgram } from '../../../workers/cli/discover-program.ts';
import { runProgram } from '../../../workers/cli/run-program.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const discover = async (env: NodeJS.ProcessEnv) => {
  const err: string[] = [];
  const context = new CliContext({
    env: { ASI_PYTHON: 'python3', ASI_TEMPORAL: '/bin/false', ...env },
    stdout: { write: () => undefined },
    stderr: { write: (text) => err.push(text) },
  });
  const exitCode = await runProgram(context, buildDiscoverProgram(context), ['--preset', 'tiny']);
  return { exitCode, lines: err.join('').trim().split('\n') };
};

/** What a program of next year leaves behind. */
const makeNewer = (path: string): void => {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 999');
  database.close();
};

describe('discover', () => {
  it('ends with one line on a disk with too little space, before anything is written', async () => {
    const home = temporaryFolder();
    const { exitCode, lines } = await discover({ ASI_HOME: home, ASI_FREE_MB: '1000000000' });
    expect(exitCode).toBe(1);
    expect(lines.at(-1)).toMatch(
      new RegExp(`^too little space on the disk of ${home}: .* free .*, 1000000000 MB needed; free some there`),
    );
    expect(existsSync(join(home, 'archive.db'))).toBe(false);
  });

  it('names an archive of a newer version before any process starts', async () => {
    const home = temporaryFolder();
    await openSqliteArchive(join(home, 'archive.db')).close();
    makeNewer(join(home, 'archive.db'));
    const { exitCode, lines } = await discover({ ASI_HOME: home });
    expect(exitCode).toBe(1);
    expect(lines.at(-1)).toMatch(
      /^The archive .*archive\.db cannot be used: it has version 999; .* What to do: use the newer program/,
    );
    expect(existsSync(join(home, 'temporal.db'))).toBe(false);
  });

  it('names vectors of a newer version likewise', async () => {
    const home = temporaryFolder();
    await openSqliteVectors(join(home, 'vectors.db')).close();
    makeNewer(join(home, 'vectors.db'));
    const { exitCode, lines } = await discover({ ASI_HOME: home });
    expect(exitCode).toBe(1);
    expect(lines.at(-1)).toMatch(/^The vector index .*vectors\.db cannot be used: it has version 999/);
  });
});

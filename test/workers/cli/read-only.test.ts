import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { ArchiveUnavailableError } from '../../../services/archive/archive-errors.ts';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { aCampaign } from '../../support/builders.ts';
import { asNobody, inChild } from '../../support/in-child.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { seededId } from '../seeded-campaign.ts';
import { type Ran, seededHome } from './run-asi.ts';

const runAsiModule = new URL('run-asi.ts', import.meta.url).href;
const reportModule = new URL('../../../services/report/render-report.ts', import.meta.url).href;

/** Runs the command as a user who may read the home and nothing more. */
const asReader = (home: string, words: readonly string[]): Promise<Ran> =>
  inChild<Ran>(`
    import { runAsi } from '${runAsiModule}';
    import '${reportModule}';
    ${asNobody}
    console.log(JSON.stringify(await runAsi(${JSON.stringify(words)}, { home: ${JSON.stringify(home)} })));`);

const openToReaders = (folder: string): void => {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    chmodSync(path, entry.isDirectory() ? 0o555 : 0o444);
  }
  chmodSync(folder, 0o555);
};

const commands = [['leaderboard'], ['lineage'], ['show', 'e0003'], ['campaign', 'list']];

describe('a home that this user may only read', () => {
  it.each(commands)('is read by asi %s %s', async (...words) => {
    const home = await seededHome();
    openToReaders(home);
    const before = readdirSync(home);
    const ran = await asReader(
      home,
      words.filter((word) => word !== undefined),
    );
    expect(ran).toMatchObject({ exitCode: 0, err: '' });
    expect(ran.out).toContain(words[0] === 'show' ? 'e0003' : seededId);
    expect(readdirSync(home)).toEqual(before);
  });

  it('is read while a writer has the archive open, with what was just written', async () => {
    const home = await seededHome();
    const writer = openSqliteArchive(join(home, 'archive.db'));
    await writer.createCampaign(aCampaign({ id: 'c-just-now', state: 'cancelled' }));
    openToReaders(home);
    const ran = await asReader(home, ['campaign', 'list', '--json']);
    await writer.close();
    expect(ran).toMatchObject({ exitCode: 0, err: '' });
    expect(ran.out).toContain('"c-just-now"');
  });

  it('gives its report to another folder', async () => {
    const home = await seededHome();
    openToReaders(home);
    const elsewhere = temporaryFolder();
    chmodSync(elsewhere, 0o777);
    const out = join(elsewhere, 'report.html');
    expect(await asReader(home, ['report', '--out', out])).toMatchObject({ exitCode: 0, out: `${out}\n` });
    expect(readFileSync(out, 'utf8')).toContain('</html>');
    const refused = await asReader(home, ['report']);
    expect(refused).toMatchObject({ exitCode: 1, out: '' });
    expect(refused.err).toContain('--out names another file');
  });
});

describe('an archive that is opened for reading', () => {
  it('refuses writes and says of an older version that it must be brought up first', async () => {
    const home = await seededHome();
    const path = join(home, 'archive.db');
    const archive = openSqliteArchive(path, { readOnly: true });
    await expect(archive.createCampaign(aCampaign())).rejects.toThrow(ArchiveUnavailableError);
    await archive.close();
    const older = new DatabaseSync(path);
    older.exec('PRAGMA user_version = 1');
    older.close();
    expect(() => openSqliteArchive(path, { readOnly: true })).toThrow(/it has version 1, this program reads version \d+/);
  });

  it('is not made where there is none', () => {
    const path = join(temporaryFolder(), 'archive.db');
    expect(() => openSqliteArchive(path, { readOnly: true })).toThrow(ArchiveUnavailableError);
    expect(existsSync(path)).toBe(false);
  });
});

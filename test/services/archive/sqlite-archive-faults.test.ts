import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { ArchiveUnavailableError } from '../../../services/archive/archive-errors.ts';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { archiveMigrations } from '../../../services/archive/sqlite-schema.ts';
import { aLedgerRow, anExperiment, aScore, aTrial, aVerdict } from '../../support/builders.ts';
import { asNobody, inChild } from '../../support/in-child.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const archiveModule = new URL('../../../services/archive/sqlite-archive.ts', import.meta.url).href;
const buildersModule = new URL('../../support/builders.ts', import.meta.url).href;

const refusalOf = (path: string): ArchiveUnavailableError => {
  try {
    openSqliteArchive(path, { busyTimeoutMs: 50 });
  } catch (error) {
    if (error instanceof ArchiveUnavailableError) return error;
    throw error;
  }
  throw new Error(`${path} was opened`);
};

describe('a path that holds no usable archive', () => {
  it('is refused when a newer program wrote it, naming file, found and known version, and is not touched', async () => {
    const path = join(temporaryFolder(), 'archive.db');
    await openSqliteArchive(path).close();
    edit(path, 'PRAGMA user_version = 7');
    const before = readFileSync(path);
    const refusal = refusalOf(path);
    expect(refusal).toMatchObject({ reason: 'newer-version', path, foundVersion: 7, knownVersion: 3 });
    expect(refusal.message).toContain(
      `${path} cannot be used: it has version 7; this program knows version ${archiveMigrations.length} at most`,
    );
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('is refused when a newer program takes the new file while this one waits for its turn', async () => {
    const path = join(temporaryFolder(), 'archive.db');
    const newer = new DatabaseSync(path);
    newer.exec('BEGIN IMMEDIATE');
    const refusal = inChild(`
      import { openSqliteArchive } from '${archiveModule}';
      try { openSqliteArchive('${path}'); console.log('"opened"'); } catch (error) { console.log(JSON.stringify(error.reason)); }`);
    // Long enough for the other process to come to the lock; should it come later, it finds the finished file.
    await new Promise((resolve) => setTimeout(resolve, 400));
    newer.exec('CREATE TABLE campaigns (id TEXT); PRAGMA user_version = 9; PRAGMA application_id = 1095977281; COMMIT');
    expect(await refusal).toBe('newer-version');
    expect(newer.prepare('PRAGMA user_version').get()?.user_version).toBe(9);
    newer.close();
  });

  it('is refused when another program owns the database, and is not touched', () => {
    const path = join(temporaryFolder(), 'other.db');
    edit(path, 'CREATE TABLE invoices (id INTEGER)');
    const before = readFileSync(path);
    expect(refusalOf(path)).toMatchObject({
      reason: 'not-ours',
      message: expect.stringContaining('not an archive of this program'),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('is refused when it is no database at all, and is not touched', () => {
    const path = join(temporaryFolder(), 'notes.txt');
    writeFileSync(path, 'dear diary\n'.repeat(200));
    expect(refusalOf(path)).toMatchObject({
      reason: 'not-a-database',
      path,
      message: expect.stringContaining('set ASI_HOME to another folder'),
    });
    expect(readFileSync(path, 'utf8')).toBe('dear diary\n'.repeat(200));
  });

  it('is refused when it is a folder or lies below a file', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'archive.db'));
    expect(refusalOf(join(folder, 'archive.db'))).toMatchObject({ reason: 'unreachable' });
    expect(refusalOf(join(folder, 'file', 'archive.db'))).toMatchObject({ reason: 'unreachable' });
  });

  it('is refused when this user may not write there', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'archive.db');
    const archive = openSqliteArchive(path);
    await archive.createExperiment(anExperiment());
    await archive.close();
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    const program = `
      import { openSqliteArchive } from '${archiveModule}';
      ${asNobody}
      const reasons = [];
      for (const path of ${JSON.stringify([path, join(folder, 'new', 'archive.db')])})
        try { openSqliteArchive(path); reasons.push('opened'); } catch (error) { reasons.push([error.name, error.reason, error.path]); }
      console.log(JSON.stringify(reasons));`;
    expect(await inChild(program)).toEqual([
      ['ArchiveUnavailableError', 'no-permission', path],
      ['ArchiveUnavailableError', 'no-permission', join(folder, 'new', 'archive.db')],
    ]);
    chmodSync(folder, 0o755);
  });
});

describe('an archive in trouble', () => {
  it('says that another process holds the lock, and works again afterwards', async () => {
    const path = join(temporaryFolder(), 'archive.db');
    const archive = openSqliteArchive(path, { busyTimeoutMs: 50 });
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const write = archive.createExperiment(anExperiment());
    await expect(write).rejects.toMatchObject({ name: 'ArchiveUnavailableError', reason: 'locked', path });
    expect(await archive.getExperiment('c-test/e0001')).toBeNull();
    other.exec('ROLLBACK');
    other.close();
    expect(await archive.createExperiment(anExperiment())).toMatchObject({ created: true });
    await archive.close();
  });

  it('says that the disk is full, keeps what was stored and goes on when there is room', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'archive.db');
    const program = `
      import { openSqliteArchive } from '${archiveModule}';
      import { anExperiment } from '${buildersModule}';
      const archive = openSqliteArchive('${path}');
      let stored = 0;
      try { for (; stored < 5000; stored++) await archive.createExperiment(anExperiment({ number: stored })); }
      catch (error) { console.log(JSON.stringify({ stored, name: error.name, reason: error.reason })); }`;
    // No file may grow past this: the same refusal of a write as on a full disk, without needing one.
    const full = await inChild<{ stored: number; name: string; reason: string }>(program, {
      wrap: ['bash', '-c', 'ulimit -f 600; exec "$0" "$@"'],
    });
    expect(full).toMatchObject({ name: 'ArchiveUnavailableError', reason: expect.stringMatching(/^(io|disk-full)$/) });
    expect(full.stored).toBeGreaterThan(0);
    const archive = openSqliteArchive(path);
    const stored = await archive.listExperiments('c-test');
    expect(stored.map(({ number }) => number).slice(0, full.stored)).toEqual(
      Array.from({ length: full.stored }, (_, index) => index),
    );
    expect(await archive.createExperiment(anExperiment({ number: 9000 }))).toMatchObject({ created: true });
    await archive.close();
  });

  it('says that the file is damaged', async () => {
    const path = join(temporaryFolder(), 'archive.db');
    const archive = openSqliteArchive(path);
    for (let number = 0; number < 30; number++) await archive.createExperiment(anExperiment({ number, state: 'recorded' }));
    await archive.close();
    const bytes = readFileSync(path);
    bytes.fill(0xab, 4096, statSync(path).size);
    writeFileSync(path, bytes);
    expect(refusalOfAny(() => openSqliteArchive(path))).toMatchObject({ reason: 'damaged', path });
  });
});

describe('the file itself', () => {
  it('holds final records against any writer, whatever program it is', async () => {
    const path = join(temporaryFolder(), 'archive.db');
    const archive = openSqliteArchive(path);
    await archive.createExperiment(anExperiment({ state: 'recorded', verdict: aVerdict() }));
    await archive.createExperiment(anExperiment({ number: 2, state: 'recorded' }));
    await archive.createTrial(aTrial({ state: 'scored' }));
    await archive.appendScores([aScore()]);
    await archive.appendLedger(aLedgerRow());
    await archive.close();
    const broken = [
      ["UPDATE experiments SET state = 'planned'", 'a terminal experiment never changes'],
      ["UPDATE experiments SET verdict = 'worse' WHERE number = 1", 'a terminal experiment never changes'],
      [
        `UPDATE experiments SET verdict = 'better', document = json_set(document, '$.fitness.value', 99) WHERE number = 2`,
        'a terminal experiment never changes',
      ],
      ['DELETE FROM experiments', 'experiments are never deleted'],
      ["UPDATE trials SET state = 'running'", 'a terminal trial never changes'],
      ['UPDATE scores SET document = json_set(document, "$.value", 0)'.replaceAll('"', "'"), 'scores never change'],
      ['DELETE FROM scores', 'scores are never deleted'],
      ['UPDATE ledger SET amount = 0', 'ledger rows never change'],
      ['DELETE FROM ledger', 'ledger rows are never deleted'],
    ] as const;
    for (const [sql, message] of broken) expect(() => edit(path, sql), sql).toThrow(message);
  });

  it('answers lineage pages, children and leaderboard from indexes alone, without sorting', async () => {
    const path = join(temporaryFolder(), 'archive.db');
    await openSqliteArchive(path).close();
    const database = new DatabaseSync(path);
    const node = 'id, number, kind, parent_id, depth, state, name, fitness, verdict, failure_label';
    for (const rest of [
      'campaign_id = ? AND number > ? ORDER BY number LIMIT 10',
      'parent_id = ? ORDER BY number LIMIT 10',
      "campaign_id = ? AND state = 'recorded' AND fitness IS NOT NULL ORDER BY fitness DESC, number LIMIT 10",
    ]) {
      const plan = database.prepare(`EXPLAIN QUERY PLAN SELECT ${node} FROM experiments WHERE ${rest}`).all();
      expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining('USING COVERING INDEX')]);
    }
    database.close();
  });
});

const edit = (path: string, sql: string): void => {
  const database = new DatabaseSync(path);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
};

const refusalOfAny = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
};

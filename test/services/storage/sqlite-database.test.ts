import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SqliteDatabase, type StoreKind } from '../../../services/storage/sqlite-database.ts';
import { faultMessage } from '../../../services/storage/store-fault.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const kind = (...migrations: readonly string[]): StoreKind => ({
  noun: 'test store',
  applicationId: 0x7e57,
  migrations,
  errorOf: (fault, cause) => new Error(faultMessage(fault), { cause }),
});
const first = "CREATE TABLE words (word TEXT PRIMARY KEY) STRICT; INSERT INTO words VALUES ('kept');";
const second = "ALTER TABLE words ADD COLUMN length INTEGER NOT NULL DEFAULT 0; INSERT INTO words VALUES ('new', 3);";

describe('migrations', () => {
  it('bring an older file to the newest version once and keep what it holds', () => {
    const path = join(temporaryFolder(), 'store.db');
    new SqliteDatabase(kind(first), { path }).close();
    for (let opened = 0; opened < 2; opened++) {
      const database = new SqliteDatabase(kind(first, second), { path });
      expect(database.all('SELECT word, length FROM words ORDER BY word').map((row) => ({ ...row }))).toEqual([
        { word: 'kept', length: 0 },
        { word: 'new', length: 3 },
      ]);
      expect(database.get('PRAGMA user_version')?.user_version).toBe(2);
      database.close();
    }
  });

  it('leave the file as it was when one of them fails', () => {
    const path = join(temporaryFolder(), 'store.db');
    new SqliteDatabase(kind(first), { path }).close();
    expect(() => new SqliteDatabase(kind(first, second, 'CREATE TABLE words (again TEXT)'), { path })).toThrow('already exists');
    const database = new SqliteDatabase(kind(first), { path });
    expect(database.all('SELECT * FROM words').map((row) => ({ ...row }))).toEqual([{ word: 'kept' }]);
    database.close();
  });
});

describe('a database', () => {
  it('writes ahead of the file, so that a reader does not wait for a writer', () => {
    const path = join(temporaryFolder(), 'store.db');
    const writer = new SqliteDatabase(kind(first), { path });
    const reader = new SqliteDatabase(kind(first), { path, busyTimeoutMs: 0 });
    expect(writer.get('PRAGMA journal_mode')?.journal_mode).toBe('wal');
    expect(writer.get('PRAGMA synchronous')?.synchronous).toBe(1);
    writer.atomically(() => {
      writer.run("INSERT INTO words VALUES ('soon')");
      expect(reader.all('SELECT word FROM words')).toHaveLength(1);
    });
    expect(reader.all('SELECT word FROM words')).toHaveLength(2);
    for (const database of [reader, writer]) database.close();
  });

  it('undoes everything when work inside a transaction throws', () => {
    const database = new SqliteDatabase(kind(first), { path: join(temporaryFolder(), 'store.db') });
    const work = (): void => {
      database.run("INSERT INTO words VALUES ('gone')");
      throw new RangeError('on purpose');
    };
    expect(() => database.atomically(work)).toThrow(RangeError);
    expect(database.all('SELECT word FROM words')).toHaveLength(1);
    expect(database.atomically(() => database.run("INSERT INTO words VALUES ('here')"))).toBe(1);
    database.close();
  });

  it('throws a wrong statement and a broken constraint as they are, since nobody can act on them at run time', () => {
    const database = new SqliteDatabase(kind(first), { path: join(temporaryFolder(), 'store.db') });
    expect(() => database.run('SELEC 1')).toThrow(/syntax error/);
    expect(() => database.run("INSERT INTO words VALUES ('kept')")).toThrow(/UNIQUE constraint failed/);
    database.close();
  });

  it('may be closed twice', () => {
    const database = new SqliteDatabase(kind(first), { path: join(temporaryFolder(), 'store.db') });
    database.close();
    expect(() => database.close()).not.toThrow();
    expect(database.isOpen).toBe(false);
  });
});

import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { makeFolder } from './make-folder.ts';
import { describeSqliteFault, errorCodeOf, type StoreFault } from './store-fault.ts';

const retryPauseMs = 10;

export interface StoreKind {
  /** For messages: "archive", "vector index". */
  readonly noun: string;
  /** Written into the file header, so that another program's database is never taken for ours. */
  readonly applicationId: number;
  /** SQL scripts; script n brings a file from version n to n + 1. Never edited once released. */
  readonly migrations: readonly string[];
  readonly errorOf: (fault: StoreFault, cause: unknown) => Error;
}
export interface OpenOptions {
  readonly path: string;
  /** How long a statement waits for another process's write before it fails as locked. */
  readonly busyTimeoutMs?: number;
  /** Nothing is written, made or migrated, so that no permission to write is needed; a file of an older version is refused. */
  readonly readOnly?: boolean;
}
export type Row = Record<string, SQLOutputValue>;

/**
 * One SQLite file that several processes share: WAL, so that readers never wait for a writer; prepared statements kept by their text;
 * every fault of file, disk or lock thrown as the store's own error.
 *
 * Durability: `synchronous` is NORMAL. A committed write survives the death of any process, SIGKILL included. After a power loss or a
 * kernel crash the file is consistent, but the commits since the last checkpoint (at most some thousand pages) may be missing.
 */
export class SqliteDatabase {
  readonly path: string;
  readonly #kind: StoreKind;
  readonly #busyTimeoutMs: number;
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(kind: StoreKind, { path, busyTimeoutMs = 10_000, readOnly = false }: OpenOptions) {
    this.path = path;
    this.#kind = kind;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#connection = this.#guard(() => {
      if (readOnly) return new DatabaseSync(addressToRead(path), { timeout: busyTimeoutMs, readOnly });
      makeFolder(dirname(path));
      return new DatabaseSync(path, { timeout: busyTimeoutMs });
    });
    try {
      this.#guard(() => (readOnly ? this.#refuseUnfit() : this.#prepareFile()));
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  get(sql: string, ...values: readonly SQLInputValue[]): Row | null {
    return this.#guard(() => this.#statement(sql).get(...values) ?? null);
  }

  all(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#guard(() => this.#statement(sql).all(...values));
  }

  /** Number of rows written. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return this.#guard(() => Number(this.#statement(sql).run(...values).changes));
  }

  /** Everything in `work` or nothing. Takes the write lock at once, so that what it reads cannot change under it. */
  atomically<T>(work: () => T): T {
    this.#guard(() => this.#connection.exec('BEGIN IMMEDIATE'));
    try {
      const result = work();
      this.#guard(() => this.#connection.exec('COMMIT'));
      return result;
    } catch (error) {
      // SQLite itself ends the transaction on a full disk and on some other faults.
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    if (!this.#connection.isOpen) return;
    this.#statements.clear();
    this.#connection.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #pragma(name: string): number {
    return Number(Object.values(this.#connection.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
  }

  #prepareFile(): void {
    // Nothing is written before the file is known to be ours: a wrong path must not change somebody else's database.
    this.#refuseForeign();
    this.#migrate();
    this.#useWriteAheadLog();
    this.#connection.exec('PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536;');
  }

  #refuseForeign(): void {
    const { noun, applicationId, migrations } = this.#kind;
    const found = this.#pragma('user_version');
    const tables = Number(this.#connection.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables ?? 0);
    if (this.#pragma('application_id') !== applicationId && (tables > 0 || found !== 0))
      throw this.#error({
        reason: 'not-ours',
        detail: `it is a SQLite database, but not a${/^[aeiou]/.test(noun) ? 'n' : ''} ${noun} of this program`,
        remedy: 'set ASI_HOME to another folder; nothing in the file was changed',
      });
    if (found > migrations.length)
      throw this.#error({
        reason: 'newer-version',
        detail: `it has version ${found}; this program knows version ${migrations.length} at most`,
        remedy: 'use the newer program that wrote it, or set ASI_HOME to another folder; nothing in the file was changed',
        foundVersion: found,
        knownVersion: migrations.length,
      });
  }

  /** A file that is only read stays as it is, so it must have this program's version already. */
  #refuseUnfit(): void {
    this.#refuseForeign();
    const { migrations } = this.#kind;
    const found = this.#pragma('user_version');
    if (found < migrations.length)
      throw this.#error({
        reason: 'older-version',
        detail: `it has version ${found}, this program reads version ${migrations.length}, and it was opened for reading only`,
        remedy: 'run any command that writes once, "npm start" for example, as a user who may write it',
        foundVersion: found,
        knownVersion: migrations.length,
      });
  }

  #migrate(): void {
    const { migrations, applicationId } = this.#kind;
    if (this.#pragma('user_version') === migrations.length) return;
    this.atomically(() => {
      // Another process may have migrated, or a newer program may have taken the file, while this one waited for the lock.
      this.#refuseForeign();
      for (const script of migrations.slice(this.#pragma('user_version'))) this.#connection.exec(script);
      this.#connection.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length};`);
    });
  }

  /** SQLite does not wait for its busy timeout while it changes the journal mode, so two processes that open a new file need this loop. */
  #useWriteAheadLog(): void {
    const lastTryAt = performance.now() + this.#busyTimeoutMs;
    for (;;) {
      try {
        this.#connection.exec('PRAGMA journal_mode = WAL');
        return;
      } catch (error) {
        if (errorCodeOf(error) !== 'locked' || performance.now() > lastTryAt) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryPauseMs);
      }
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const fault = describeSqliteFault(error, { noun: this.#kind.noun, busyTimeoutMs: this.#busyTimeoutMs });
      if (fault === null) throw error;
      throw this.#error(fault, error);
    }
  }

  #error(fault: Omit<StoreFault, 'path' | 'noun'>, cause?: unknown): Error {
    return this.#kind.errorOf({ ...fault, path: this.path, noun: this.#kind.noun }, cause);
  }
}

/**
 * SQLite needs a file beside the database to read what other processes write, and makes it where it may. In a folder that it may not write, with
 * no such file, nobody else has the database open: then it can be read as a file that nothing changes (sqlite.org/wal.html, read-only databases).
 */
const addressToRead = (path: string): string | URL => {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (mayWrite(dirname(path)) || (log !== undefined && log.size > 0)) return path;
  const address = pathToFileURL(path);
  address.searchParams.set('immutable', '1');
  return address;
};

const mayWrite = (folder: string): boolean => {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
};

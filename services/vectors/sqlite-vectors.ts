import { type OpenOptions, SqliteDatabase, type StoreKind } from '../storage/sqlite-database.ts';
import {
  InvalidVectorError,
  type Neighbour,
  type VectorIndex,
  type VectorSpace,
  VectorsUnavailableError,
} from './vector-index.ts';
import { VectorMatrix } from './vector-matrix.ts';

/** `change` rises with every write, whichever process made it: a reader that knows the last one it saw fetches only what is new. */
const version1 = `
CREATE TABLE spaces (space TEXT PRIMARY KEY, dimensions INTEGER NOT NULL) STRICT;
CREATE TABLE vectors (
  space TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, change INTEGER NOT NULL, vector BLOB NOT NULL,
  PRIMARY KEY (space, scope, id)
) STRICT;
CREATE UNIQUE INDEX vectors_by_change ON vectors (change);
CREATE INDEX vectors_news ON vectors (space, scope, change);
`;
const vectorsKind: StoreKind = {
  noun: 'vector index',
  applicationId: 0x41534956,
  migrations: [version1],
  errorOf: (fault, cause) => new VectorsUnavailableError(fault, cause),
};
/** Scopes whose vectors are held in memory; the one unused longest makes room. */
const scopesKept = 16;

/**
 * Vectors as blobs of little-endian float32 in a SQLite file of their own, searched by an exact scan over unit vectors in memory.
 * Writes of other processes are seen by the next search. Throws VectorsUnavailableError and InvalidVectorError.
 */
export const openSqliteVectors = (path: string, options: Omit<OpenOptions, 'path'> = {}): VectorIndex =>
  new SqliteVectors(new SqliteDatabase(vectorsKind, { path, ...options }));

class SqliteVectors implements VectorIndex {
  readonly #database: SqliteDatabase;
  readonly #matrices = new Map<string, VectorMatrix>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async put(
    space: VectorSpace,
    item: { readonly id: string; readonly scope: string; readonly vector: Float32Array },
  ): Promise<void> {
    const { id, scope, vector } = item;
    refuseWithoutDirection(space, id, vector);
    this.#database.atomically(() => {
      this.#database.run(
        'INSERT INTO spaces (space, dimensions) VALUES (?, ?) ON CONFLICT (space) DO NOTHING',
        space,
        vector.length,
      );
      this.#refuseOtherLength(space, id, vector);
      this.#database.run(
        `INSERT INTO vectors (space, scope, id, change, vector)
         VALUES (?1, ?2, ?3, (SELECT coalesce(max(change), 0) + 1 FROM vectors), ?4)
         ON CONFLICT (space, scope, id) DO UPDATE SET change = excluded.change, vector = excluded.vector`,
        space,
        scope,
        id,
        bytesOf(vector),
      );
    });
  }

  async nearest(
    space: VectorSpace,
    query: { readonly scope: string; readonly vector: Float32Array; readonly limit: number },
  ): Promise<readonly Neighbour[]> {
    refuseWithoutDirection(space, 'of the query', query.vector);
    this.#refuseOtherLength(space, 'of the query', query.vector);
    return this.#current(space, query.scope, query.vector.length).nearest(query.vector, query.limit);
  }

  async count(space: VectorSpace, scope: string): Promise<number> {
    const row = this.#database.get('SELECT count(*) AS many FROM vectors WHERE space = ? AND scope = ?', space, scope);
    return Number(row?.many ?? 0);
  }

  async close(): Promise<void> {
    this.#matrices.clear();
    this.#database.close();
  }

  /** The matrix of a scope with every change that is committed by now. */
  #current(space: VectorSpace, scope: string, dimensions: number): VectorMatrix {
    const key = JSON.stringify([space, scope]);
    const matrix = this.#matrices.get(key) ?? new VectorMatrix(dimensions);
    this.#matrices.delete(key);
    this.#matrices.set(key, matrix);
    const oldest = this.#matrices.size > scopesKept ? this.#matrices.keys().next() : undefined;
    if (oldest !== undefined && oldest.done !== true) this.#matrices.delete(oldest.value);
    const news = this.#database.all(
      'SELECT id, change, vector FROM vectors WHERE space = ? AND scope = ? AND change > ? ORDER BY change',
      space,
      scope,
      matrix.lastChange,
    );
    for (const { id, change, vector } of news)
      if (vector instanceof Uint8Array) matrix.put(String(id), { change: Number(change), vector: vectorOf(vector) });
    return matrix;
  }

  #refuseOtherLength(space: VectorSpace, id: string, vector: Float32Array): void {
    const row = this.#database.get('SELECT dimensions FROM spaces WHERE space = ?', space);
    if (row !== null && row.dimensions !== vector.length)
      throw new InvalidVectorError(
        space,
        id,
        `it has ${vector.length} numbers; the vectors of this space have ${row.dimensions}`,
      );
  }
}

const refuseWithoutDirection = (space: VectorSpace, id: string, vector: Float32Array): void => {
  const squares = vector.reduce((sum, value) => sum + value * value, 0);
  if (!Number.isFinite(squares)) throw new InvalidVectorError(space, id, 'it holds a number that is not finite');
  if (squares === 0) throw new InvalidVectorError(space, id, 'all its numbers are zero, so it has no direction');
};

// Node's platforms that matter here are little-endian, as typed arrays then are; the file is not meant to travel to another kind.
const bytesOf = (vector: Float32Array): Uint8Array => new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
/** Copied, since a blob may begin where no float may. */
const vectorOf = (bytes: Uint8Array): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);

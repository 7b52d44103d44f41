import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InvalidVectorError, type Neighbour, type VectorIndex } from '../../../services/vectors/vector-index.ts';

export interface VectorStore {
  /** A connection of its own. */
  open(): Promise<VectorIndex>;
}

const vector = (...values: readonly number[]): Float32Array => new Float32Array(values);
const ids = (neighbours: readonly Neighbour[]): readonly string[] => neighbours.map(({ id }) => id);

/** What every VectorIndex must do. `create` makes an empty store each time. */
export const vectorsSuite = (name: string, create: () => Promise<VectorStore>): void => {
  const connect = async (store: VectorStore): Promise<VectorIndex> => {
    const index = await store.open();
    onTestFinished(() => index.close());
    return index;
  };
  const fresh = async (): Promise<VectorIndex> => connect(await create());

  describe(`${name} as a vector index`, () => {
    it('finds the nearest by cosine, whatever the lengths', async () => {
      const index = await fresh();
      for (const [id, item] of Object.entries({
        east: vector(100, 0),
        north: vector(0, 0.01),
        west: vector(-1, 0),
        northeast: vector(3, 3),
      }))
        await index.put('code', { id, scope: 's', vector: item });
      const found = await index.nearest('code', { scope: 's', vector: vector(5, 1), limit: 3 });
      expect(ids(found)).toEqual(['east', 'northeast', 'north']);
      expect(found[0]?.similarity).toBeCloseTo(5 / Math.sqrt(26), 6);
      expect((await index.nearest('code', { scope: 's', vector: vector(1, 0), limit: 9 })).at(-1)).toEqual({
        id: 'west',
        similarity: -1,
      });
    });

    it('agrees with comparing one by one, on any vectors', async () => {
      const values = fc
        .array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 })
        .filter((row) => row.some((value) => value !== 0));
      await fc.assert(
        fc.asyncProperty(
          fc.array(values, { maxLength: 30 }),
          values,
          fc.integer({ min: 0, max: 8 }),
          async (rows, query, limit) => {
            const store = await create();
            const index = await store.open();
            for (const [row, item] of rows.entries())
              await index.put('motivation', { id: `v${row}`, scope: 's', vector: vector(...item) });
            const found = await index.nearest('motivation', { scope: 's', vector: vector(...query), limit });
            const expected = rows
              .map((item) => cosine(item, query))
              .sort((a, b) => b - a)
              .slice(0, limit);
            expect(found).toHaveLength(expected.length);
            for (const [rank, { id, similarity }] of found.entries()) {
              expect(similarity).toBeCloseTo(expected[rank] ?? Number.NaN, 5);
              expect(similarity).toBeCloseTo(cosine(rows[Number(id.slice(1))] ?? [], query), 5);
            }
            await index.close();
          },
        ),
        { numRuns: 25 },
      );
    });

    it('breaks ties by id', async () => {
      const index = await fresh();
      for (const id of ['b', 'c', 'a']) await index.put('code', { id, scope: 's', vector: vector(1, 2) });
      expect(ids(await index.nearest('code', { scope: 's', vector: vector(1, 2), limit: 2 }))).toEqual(['a', 'b']);
    });

    it('keeps spaces and scopes apart', async () => {
      const index = await fresh();
      await index.put('code', { id: 'a', scope: 'one', vector: vector(1, 0) });
      await index.put('code', { id: 'a', scope: 'two', vector: vector(0, 1) });
      await index.put('motivation', { id: 'm', scope: 'one', vector: vector(1, 0, 0) });
      expect(await index.nearest('code', { scope: 'one', vector: vector(1, 0), limit: 5 })).toEqual([{ id: 'a', similarity: 1 }]);
      expect(await index.nearest('code', { scope: 'two', vector: vector(1, 0), limit: 5 })).toEqual([{ id: 'a', similarity: 0 }]);
      expect(await index.nearest('cognition', { scope: 'one', vector: vector(1), limit: 5 })).toEqual([]);
      expect([
        await index.count('code', 'one'),
        await index.count('motivation', 'one'),
        await index.count('code', 'none'),
      ]).toEqual([1, 1, 0]);
    });

    it('replaces the vector of an id', async () => {
      const index = await fresh();
      await index.put('code', { id: 'a', scope: 's', vector: vector(1, 0) });
      await index.nearest('code', { scope: 's', vector: vector(1, 0), limit: 1 });
      await index.put('code', { id: 'a', scope: 's', vector: vector(0, 1) });
      expect(await index.nearest('code', { scope: 's', vector: vector(1, 0), limit: 5 })).toEqual([{ id: 'a', similarity: 0 }]);
      expect(await index.count('code', 's')).toBe(1);
    });

    it('sees what another connection put or replaced after its own last search', async () => {
      const store = await create();
      const [reader, writer] = [await connect(store), await connect(store)];
      const look = async () => reader.nearest('code', { scope: 's', vector: vector(1, 0), limit: 5 });
      await writer.put('code', { id: 'a', scope: 's', vector: vector(1, 1) });
      expect(ids(await look())).toEqual(['a']);
      await writer.put('code', { id: 'b', scope: 's', vector: vector(1, 0) });
      await reader.put('code', { id: 'c', scope: 's', vector: vector(-1, 0) });
      expect(ids(await look())).toEqual(['b', 'a', 'c']);
      await writer.put('code', { id: 'b', scope: 's', vector: vector(-2, 1) });
      expect(ids(await look())).toEqual(['a', 'b', 'c']);
    });

    it('keeps vectors for later connections, bit for bit', async () => {
      const store = await create();
      const first = await store.open();
      const item = vector(0.1, -2.5e-7, 3);
      await first.put('code', { id: 'a', scope: 's', vector: item });
      await first.close();
      const found = await (await connect(store)).nearest('code', { scope: 's', vector: item, limit: 1 });
      expect(found[0]?.similarity).toBeCloseTo(1, 7);
    });

    it('takes a part of a larger buffer as the numbers that it shows', async () => {
      const index = await fresh();
      await index.put('code', { id: 'a', scope: 's', vector: vector(9, 9, 0, 1).subarray(2) });
      expect(await index.nearest('code', { scope: 's', vector: vector(0, 2), limit: 1 })).toEqual([{ id: 'a', similarity: 1 }]);
    });

    it('compares numbers that are very large or very small', async () => {
      const index = await fresh();
      await index.put('code', { id: 'large', scope: 's', vector: vector(3e38, 3e38) });
      await index.put('code', { id: 'small', scope: 's', vector: vector(1e-44, 0) });
      const found = await index.nearest('code', { scope: 's', vector: vector(1, 0), limit: 2 });
      expect(ids(found)).toEqual(['small', 'large']);
      expect(found[1]?.similarity).toBeCloseTo(Math.SQRT1_2, 6);
    });

    it('refuses what cannot be compared, and stores nothing of it', async () => {
      const index = await fresh();
      await index.put('code', { id: 'a', scope: 's', vector: vector(1, 0) });
      const put = (item: Float32Array) => index.put('code', { id: 'bad', scope: 's', vector: item });
      await expect(put(vector(1, 0, 0))).rejects.toThrow(/code vector bad.*it has 3 numbers; the vectors of this space have 2/);
      await expect(put(vector(0, 0))).rejects.toThrow(InvalidVectorError);
      await expect(put(vector(Number.NaN, 1))).rejects.toThrow(/not finite/);
      await expect(put(vector(1, Number.NEGATIVE_INFINITY))).rejects.toThrow(/not finite/);
      await expect(put(vector())).rejects.toThrow(InvalidVectorError);
      await expect(index.nearest('code', { scope: 's', vector: vector(1), limit: 1 })).rejects.toThrow(/it has 1 numbers/);
      expect(await index.count('code', 's')).toBe(1);
    });

    it('finds among more vectors and scopes than it may hold at once', async () => {
      const index = await fresh();
      for (let scope = 0; scope < 40; scope++)
        for (let row = 0; row < 5; row++)
          await index.put('code', { id: `v${row}`, scope: `s${scope}`, vector: vector(row, scope + 1) });
      for (const scope of [0, 39, 0, 20])
        expect(ids(await index.nearest('code', { scope: `s${scope}`, vector: vector(1, 0), limit: 1 }))).toEqual(['v4']);
    });
  });
};

const cosine = (a: readonly number[], b: readonly number[]): number => {
  const dot = a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
};

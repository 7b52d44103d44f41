import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Embedder } from '../../../services/embed/embedder.ts';

/** One embedding model, that a suite may reach over several connections. */
export interface EmbedModel {
  /** A connection of its own. The suite closes those that it opens. */
  open(): Promise<Embedder>;
  /** Takes away what the connection answers with, as when a process is killed or a server restarts; resolves when it is gone. */
  cut(embedder: Embedder): Promise<void>;
}

const dot = (a: Float32Array = new Float32Array(), b: Float32Array = new Float32Array()): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
const bits = (vectors: readonly Float32Array[]): readonly string[] =>
  vectors.map((vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64'));

/** A motivation, another in other words, and one about something else. */
const meanings: readonly (readonly [string, string, string])[] = [
  ['a data-dependent decay of the state', 'the state decays with the input', 'a recipe for onion soup'],
  ['normalise queries and keys to unit length', 'L2 norm of q and k', 'a short convolution before the projections'],
  ['the delta rule erases before it writes', 'old values are removed from memory when a key returns', 'train tickets to Vienna'],
];

const odd = {
  'an empty text': '',
  'one of blanks': ' \n\t ',
  'one that no model reads to its end': 'a gate for each head, '.repeat(5000),
  'one of other scripts and signs': 'naïve 東京 🙂 \u0000 \u202e',
  'one that is no well-formed Unicode': 'half a pair \ud83d and on',
};

/** What every Embedder must do. `create` gives a model; loading it may take minutes on a busy machine. */
export const embedSuite = (name: string, create: () => Promise<EmbedModel>): void => {
  describe(`${name} as an embedder`, { timeout: 180_000 }, () => {
    let model: EmbedModel;
    let embedder: Embedder;
    beforeAll(async () => {
      model = await create();
      embedder = await model.open();
      return () => embedder.close();
    }, 180_000);

    it('says which model it is, and gives a unit vector of its dimension for each text', async () => {
      expect(embedder.model).not.toBe('');
      await fc.assert(
        fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 4 }), async (texts) => {
          const vectors = await embedder.embed(texts);
          expect(vectors).toHaveLength(texts.length);
          for (const vector of vectors) {
            expect(vector).toBeInstanceOf(Float32Array);
            expect(vector).toHaveLength(embedder.dimensions);
            expect(dot(vector, vector)).toBeCloseTo(1, 4);
          }
        }),
        { numRuns: 15 },
      );
    });

    it.each(Object.entries(odd))('takes %s', async (_, text) => {
      const [vector] = await embedder.embed([text]);
      expect(dot(vector, vector)).toBeCloseTo(1, 4);
    });

    it('gives a text the same vector whatever stands beside it, in the order of the texts', async () => {
      const texts = [...meanings.flat(), ...Object.values(odd)];
      const together = bits(await embedder.embed(texts));
      const alone: string[] = [];
      for (const text of texts) alone.push(...bits(await embedder.embed([text])));
      expect(together).toEqual(alone);
      expect(bits(await embedder.embed(texts.toReversed()))).toEqual(together.toReversed());
      expect(new Set(together.slice(0, meanings.flat().length)).size).toBe(meanings.flat().length);
    });

    it('takes no text, and more than fit into one question', async () => {
      expect(await embedder.embed([])).toEqual([]);
      const many = Array.from({ length: 300 }, (_, place) => (place === 299 ? 'the last' : 'a text'));
      const vectors = bits(await embedder.embed(many));
      expect(vectors).toHaveLength(300);
      expect([vectors[0], vectors[299]]).toEqual(bits(await embedder.embed(['a text', 'the last'])));
    });

    it.each(meanings)('holds "%s" nearer to what means the same than to what does not', async (...texts) => {
      const [text, near, far] = await embedder.embed(texts);
      expect(dot(text, near)).toBeGreaterThan(dot(text, far) + 0.05);
    });

    it('gives each of those who ask at the same time their own', async () => {
      const asked = meanings.map((texts) => embedder.embed(texts));
      const answers = (await Promise.all(asked)).map(bits);
      for (const [place, texts] of meanings.entries()) expect(answers[place]).toEqual(bits(await embedder.embed(texts)));
    });

    it('gives every connection the same, and answers again after it was cut off', async () => {
      const [texts] = meanings;
      const before = bits(await embedder.embed(texts ?? []));
      const other = await model.open();
      try {
        expect(bits(await other.embed(texts ?? []))).toEqual(before);
        await model.cut(other);
        expect(bits(await other.embed(texts ?? []))).toEqual(before);
      } finally {
        await other.close();
      }
    });

    it('leaves nobody waiting whose answer was cut off', async () => {
      const other = await model.open();
      try {
        await other.embed(['ready']);
        const asked = other.embed(Array.from({ length: 200 }, () => odd['one that no model reads to its end']));
        const ended = expect(asked).rejects.toBeInstanceOf(Error);
        await model.cut(other);
        await ended;
      } finally {
        await other.close();
      }
    });
  });
};

import { mostTexts } from '../../workflows/contracts/trial.ts';
import type { PythonTools } from '../python/tools.ts';
import type { Embedder } from './embedder.ts';

/** all-MiniLM-L6-v2 in the tools process, without network. Rejects with PythonProcessError where that process cannot be had. */
export const localEmbedder = (tools: PythonTools): Embedder => ({
  model: 'all-MiniLM-L6-v2',
  dimensions: 384,
  async embed(texts) {
    const vectors: Float32Array[] = [];
    for (let first = 0; first < texts.length; first += mostTexts) {
      // Half a surrogate pair is no character, and the tokenizer takes none.
      const batch = texts.slice(first, first + mostTexts).map((text) => text.toWellFormed());
      vectors.push(...(await tools.embed(batch)));
    }
    return vectors;
  },
  close: () => tools.close(),
});

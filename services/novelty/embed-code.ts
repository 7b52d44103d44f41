import type { Embedder } from '../embed/embedder.ts';
import { bareText } from './normalise-python.ts';

/** Small sentence models read a few hundred tokens; more would be cut off without a word. */
const passageCharacters = 1000;
const mostPassages = 24;

/**
 * One unit vector for a program: the mean of its passages' vectors. Comments and docstrings are left out, or a motivation in the header would
 * make code look alike. A program longer than 24,000 characters is judged by its beginning.
 */
export const embedCode = async (embedder: Embedder, program: string): Promise<Float32Array> => {
  const vectors = await embedder.embed(passagesOf(bareText(program)));
  const mean = new Float32Array(embedder.dimensions);
  for (const vector of vectors) {
    for (const [index, value] of vector.entries()) mean[index] = (mean[index] ?? 0) + value;
  }
  const length = Math.hypot(...mean);
  if (!(length > 0))
    throw new Error(`the embedder ${embedder.model} gave vectors that cancel out for a program of ${program.length} characters`);
  return mean.map((value) => value / length);
};

/** Whole lines, as many as fit; a program without text is one empty passage. */
const passagesOf = (program: string): readonly string[] => {
  const passages: string[] = [];
  let passage = '';
  for (const line of program.split('\n')) {
    if (line.trim() === '') continue;
    if (passage !== '' && passage.length + line.length > passageCharacters) {
      passages.push(passage);
      passage = '';
    }
    passage += `${line.slice(0, passageCharacters)}\n`;
  }
  if (passage !== '' || passages.length === 0) passages.push(passage);
  return passages.slice(0, mostPassages);
};

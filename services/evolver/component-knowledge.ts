import { pathKnowledge } from './path-knowledge.ts';
import { recurrenceKnowledge } from './recurrence-knowledge.ts';

/** Direction that the literature and small measurements suggest; `unclear` where they disagree or say nothing. */
export type Direction = 'better' | 'worse' | 'same' | 'unclear';

/** What is known of one value of one gene, before anything was measured here. */
export interface ComponentNote {
  /** Why a model might want it, and its price. */
  readonly says: string;
  readonly source: string;
  readonly loss: Direction;
  readonly recall: Direction;
  readonly speed: 'faster' | 'slower' | 'same';
  /**
   * How much likelier than its neighbours it is drawn before evidence: 0.5 to 1.5. A nudge that a handful of measurements outweighs; values
   * that published or small-scale results favour sit above 1, values that they warn of below.
   */
  readonly prior: number;
}

export type KnowledgeTable = Readonly<Record<string, Readonly<Record<string, ComponentNote>>>>;

const table: KnowledgeTable = { ...recurrenceKnowledge, ...pathKnowledge };

/** Throws RangeError for a value without a note: every value of every gene has one, and a test holds that. */
export const noteOn = (gene: string, value: string): ComponentNote => {
  const note = gene === 'fir' ? firNote(value) : table[gene]?.[value];
  if (note === undefined) throw new RangeError(`nothing is noted on ${gene} = ${value}`);
  return note;
};

/** A set of branches is spoken of as a whole: how many there are and how far they reach. */
const firNote = (value: string): ComponentNote | undefined => {
  const notes = table.fir;
  if (notes === undefined || value === 'none') return notes?.none;
  const kernels = value.split(' ').map(Number);
  const longest = Math.max(...kernels);
  const base = kernels.length === 1 ? notes.one : longest >= 31 ? notes.wide : notes.several;
  if (base === undefined) return undefined;
  const reach =
    kernels.length === 1
      ? `This one sees ${longest} tokens, its own the last.`
      : `Here they see ${kernels.join(', ')} tokens, their own the last.`;
  return { ...base, says: `${base.says} ${reach}` };
};

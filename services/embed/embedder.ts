/**
 * Texts to unit vectors. Any text is taken: an empty one, one that is longer than the model reads, whose beginning then counts, and one that is no
 * well-formed Unicode. The vector of a text depends on nothing but that text.
 */
export interface Embedder {
  /** Recorded with every vector; vectors of different models are never compared. */
  readonly model: string;
  readonly dimensions: number;
  /** One vector a text, in their order, however many there are. Rejects where the model is out of reach; the next call tries again. */
  embed(texts: readonly string[]): Promise<readonly Float32Array[]>;
  close(): Promise<void>;
}

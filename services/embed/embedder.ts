/** Texts to unit vectors. */
export interface Embedder {
  /** Recorded with every vector; vectors of different models are never compared. */
  readonly model: string;
  readonly dimensions: number;
  embed(texts: readonly string[]): Promise<readonly Float32Array[]>;
  close(): Promise<void>;
}

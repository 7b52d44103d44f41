export const vectorSpaces = ['motivation', 'code', 'cognition'] as const;
export type VectorSpace = (typeof vectorSpaces)[number];

export interface Neighbour {
  readonly id: string;
  /** Cosine similarity, -1 to 1. */
  readonly similarity: number;
}

/** Nearest neighbours by cosine in named spaces. A rebuildable cache: the archive is the truth. */
export interface VectorIndex {
  /** Replace or add. The scope (a campaign id, say) limits searches. Vectors of one space have one length. */
  put(space: VectorSpace, item: { readonly id: string; readonly scope: string; readonly vector: Float32Array }): Promise<void>;
  /** Highest similarity first; ties by id. */
  nearest(
    space: VectorSpace,
    query: { readonly scope: string; readonly vector: Float32Array; readonly limit: number },
  ): Promise<readonly Neighbour[]>;
  count(space: VectorSpace, scope: string): Promise<number>;
  close(): Promise<void>;
}

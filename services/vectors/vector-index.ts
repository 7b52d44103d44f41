import { faultMessage, type StoreFault, type StoreFaultReason } from '../storage/store-fault.ts';

export const vectorSpaces = ['motivation', 'code', 'cognition'] as const;
export type VectorSpace = (typeof vectorSpaces)[number];

/** The index cannot be opened, read or written now. It can be rebuilt from the archive. */
export class VectorsUnavailableError extends Error {
  override readonly name = 'VectorsUnavailableError';
  readonly path: string;
  readonly reason: StoreFaultReason;
  readonly remedy: string;
  constructor(fault: StoreFault, cause?: unknown) {
    super(faultMessage(fault), { cause });
    this.path = fault.path;
    this.reason = fault.reason;
    this.remedy = fault.remedy;
  }
}

/** A vector that cannot be compared: another length than its space has, no direction, or a number that is not finite. */
export class InvalidVectorError extends Error {
  override readonly name = 'InvalidVectorError';
  constructor(space: VectorSpace, id: string, problem: string) {
    super(`The ${space} vector ${id} cannot be used: ${problem}`);
  }
}

export interface Neighbour {
  readonly id: string;
  /** Cosine similarity, -1 to 1. */
  readonly similarity: number;
}

/** Nearest neighbours by cosine in named spaces. A rebuildable cache: the archive is the truth. */
export interface VectorIndex {
  /**
   * Replace or add. The scope (a campaign id, say) limits searches; an id is unique within its scope. Vectors of one space have one
   * length, that of the first. Throws InvalidVectorError.
   */
  put(space: VectorSpace, item: { readonly id: string; readonly scope: string; readonly vector: Float32Array }): Promise<void>;
  /** Highest similarity first; ties by id. Vectors that other processes put before are found. Throws InvalidVectorError. */
  nearest(
    space: VectorSpace,
    query: { readonly scope: string; readonly vector: Float32Array; readonly limit: number },
  ): Promise<readonly Neighbour[]>;
  count(space: VectorSpace, scope: string): Promise<number>;
  close(): Promise<void>;
}

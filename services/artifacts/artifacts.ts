/** The stored bytes do not have the hash that is their address. */
export class CorruptArtifactError extends Error {
  override readonly name = 'CorruptArtifactError';
  readonly hash: string;
  constructor(hash: string, options?: ErrorOptions) {
    super(`Artifact ${hash} is damaged: its bytes no longer have that SHA-256. Restore it from a backup or delete it.`, options);
    this.hash = hash;
  }
}

/** Content-addressed store: the address is the SHA-256 of the bytes, lower-case hex. Bytes are checked on every read. */
export interface Artifacts {
  put(bytes: Uint8Array | string): Promise<string>;
  /** Copy a file in, streaming; returns its address. */
  putFile(path: string): Promise<string>;
  /** null where there is none; throws CorruptArtifactError. */
  get(hash: string): Promise<Uint8Array | null>;
  getText(hash: string): Promise<string | null>;
  /** Write the artifact to a file atomically, checked; false where there is none. */
  getFile(hash: string, path: string): Promise<boolean>;
  has(hash: string): Promise<boolean>;
}

import { faultMessage, type StoreFault, type StoreFaultReason } from '../storage/store-fault.ts';

/** The stored bytes do not have the hash that is their address. */
export class CorruptArtifactError extends Error {
  override readonly name = 'CorruptArtifactError';
  readonly hash: string;
  constructor(hash: string, options?: ErrorOptions) {
    super(`Artifact ${hash} is damaged: its bytes no longer have that SHA-256. Restore it from a backup or delete it.`, options);
    this.hash = hash;
  }
}

/** The store cannot be read or written now: no permission, full disk, no such folder. */
export class ArtifactsUnavailableError extends Error {
  override readonly name = 'ArtifactsUnavailableError';
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

/** A file to be stored is a link, a folder, a FIFO or a device; it was not read. */
export class NotAPlainFileError extends Error {
  override readonly name = 'NotAPlainFileError';
  readonly path: string;
  constructor(path: string, found: string, options?: ErrorOptions) {
    super(`${path} cannot be stored: it is ${found}; right would be a plain file`, options);
    this.path = path;
  }
}

/** Content-addressed store: the address is the SHA-256 of the bytes, lower-case hex. Bytes are checked on every read. */
export interface Artifacts {
  put(bytes: Uint8Array | string): Promise<string>;
  /** Copy a plain file in, streaming; returns its address. Throws NotAPlainFileError, and the system's error where there is none. */
  putFile(path: string): Promise<string>;
  /** null where there is none; throws CorruptArtifactError. */
  get(hash: string): Promise<Uint8Array | null>;
  getText(hash: string): Promise<string | null>;
  /** Write the artifact to a file atomically, checked; false where there is none. */
  getFile(hash: string, path: string): Promise<boolean>;
  has(hash: string): Promise<boolean>;
}

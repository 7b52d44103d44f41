/** Why a store cannot be used: what a person or a supervisor can act on. */
export type StoreFaultReason =
  | 'no-permission'
  | 'unreachable'
  | 'locked'
  | 'disk-full'
  | 'io'
  | 'damaged'
  | 'not-a-database'
  | 'not-ours'
  | 'newer-version'
  | 'older-version';

export interface StoreFault {
  readonly noun: string;
  readonly path: string;
  readonly reason: StoreFaultReason;
  /** What was found. */
  readonly detail: string;
  readonly remedy: string;
  /** Set for newer-version and older-version. */
  readonly foundVersion?: number;
  readonly knownVersion?: number;
}

export const faultMessage = ({ noun, path, detail, remedy }: StoreFault): string =>
  `The ${noun} ${path} cannot be used: ${detail}. What to do: ${remedy}.`;

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const reasonOfSqliteCode: Readonly<Record<number, StoreFaultReason>> = {
  3: 'no-permission',
  5: 'locked',
  6: 'locked',
  8: 'no-permission',
  10: 'io',
  11: 'damaged',
  13: 'disk-full',
  14: 'unreachable',
  23: 'no-permission',
  26: 'not-a-database',
};
const reasonOfSystemCode: Readonly<Record<string, StoreFaultReason>> = {
  EACCES: 'no-permission',
  EPERM: 'no-permission',
  EROFS: 'no-permission',
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EFBIG: 'disk-full',
  ENOTDIR: 'unreachable',
  EEXIST: 'unreachable',
  ENOENT: 'unreachable',
  EIO: 'io',
};

/** The reason behind an error of node:sqlite or node:fs; null for anything else, a wrong statement or a broken constraint, say. */
export const errorCodeOf = (error: unknown): StoreFaultReason | null => {
  if (!(error instanceof Error)) return null;
  if ('errcode' in error && typeof error.errcode === 'number') return reasonOfSqliteCode[error.errcode & 0xff] ?? null;
  return 'code' in error && typeof error.code === 'string' ? (reasonOfSystemCode[error.code] ?? null) : null;
};

export const describeSqliteFault = (
  error: unknown,
  facts: { readonly noun: string; readonly busyTimeoutMs: number },
): Omit<StoreFault, 'path' | 'noun'> | null => {
  const reason = errorCodeOf(error);
  if (reason === null) return null;
  const seen = error instanceof Error ? error.message : String(error);
  return { reason, ...wordsOf(reason, { ...facts, seen }) };
};

/** The same for a folder of plain files. A missing file is the caller's to judge and no fault of the store. */
export const describeFileFault = (error: unknown, noun: string): Omit<StoreFault, 'path' | 'noun'> | null =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'
    ? null
    : describeSqliteFault(error, { noun, busyTimeoutMs: 0 });

const wordsOf = (
  reason: StoreFaultReason,
  { noun, busyTimeoutMs, seen }: { readonly noun: string; readonly busyTimeoutMs: number; readonly seen: string },
): Pick<StoreFault, 'detail' | 'remedy'> => {
  switch (reason) {
    case 'no-permission':
      return {
        detail: `this user may not write it (${seen})`,
        remedy: 'give this user write permission on the file and on its folder, or set ASI_HOME to another folder',
      };
    case 'unreachable':
      return {
        detail: `it cannot be opened (${seen})`,
        remedy:
          'check that every part of the path before the last is a folder, that the last is not, and that this user may enter them',
      };
    case 'locked':
      return {
        detail: `another process has held its lock for ${busyTimeoutMs / 1000} s (${seen})`,
        remedy: 'end the process that holds it (lsof names it) or try again',
      };
    case 'disk-full':
      return {
        detail: `the disk is full (${seen})`,
        remedy: 'free some space and run the same command again; nothing stored was lost',
      };
    case 'io':
      return {
        detail: `reading or writing failed (${seen})`,
        remedy: 'check the disk and its free space, then run the same command again',
      };
    case 'damaged':
      return {
        detail: `its content is damaged (${seen})`,
        remedy: `put back a copy from a backup, or set ASI_HOME to another folder for a new ${noun}`,
      };
    case 'not-a-database':
      return {
        detail: `it is not a SQLite database (${seen})`,
        remedy: 'set ASI_HOME to another folder; nothing in the file was changed',
      };
    case 'not-ours':
    case 'newer-version':
    case 'older-version':
      return { detail: seen, remedy: 'set ASI_HOME to another folder' };
  }
};

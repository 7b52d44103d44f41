import { existsSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** What the disk below a folder has and what is wanted of it, in bytes. */
export interface DiskSpace {
  readonly folder: string;
  readonly freeBytes: number;
  readonly neededBytes: number;
}

/** The disk has less space than the work ahead needs, or has none left. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
  readonly space: DiskSpace;
  constructor(space: DiskSpace, options?: ErrorOptions) {
    const said = options?.cause instanceof Error ? ` (${options.cause.message.split('\n')[0]})` : '';
    // Bytes may be left where file numbers, or this user's quota, are not.
    const what = space.freeBytes < space.neededBytes ? shortageText(space) : `the disk of ${space.folder} takes no more`;
    super(`${what}${said}; ${remedyText}`, options);
    this.space = space;
  }
}

export const remedyText =
  'free some there (data, work and logs of finished campaigns, or other files), or set ASI_HOME to a folder on another disk';

export const shortageText = ({ folder, freeBytes, neededBytes }: DiskSpace): string =>
  `too little space on the disk of ${folder}: ${megabytes(freeBytes)} free (${freeBytes} bytes), ${megabytes(neededBytes)} needed`;

/** Bytes that this user may still write below the folder, or below the nearest parent that is there. */
export const freeBytes = (folder: string): number => {
  let at = resolve(folder);
  while (!existsSync(at)) at = dirname(at);
  const { bavail, bsize } = statfsSync(at);
  return bavail * bsize;
};

/** Throws DiskFullError where less than `neededBytes` are free. */
export const requireSpace = (folder: string, neededBytes: number): void => {
  const free = freeBytes(folder);
  if (free < neededBytes) throw new DiskFullError({ folder, freeBytes: free, neededBytes });
};

/** Whether this error, or one behind it, says that a disk or a quota is full. */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof Error &&
  (('code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) ||
    ('reason' in error && error.reason === 'disk-full') ||
    isDiskFull(error.cause));

export const megabytes = (bytes: number): string => `${Math.floor(bytes / 1e6)} MB`;

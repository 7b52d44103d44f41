import { mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A folder that is not there and cannot be made. `at` is the part of the path that stands in the way. */
export class FolderError extends Error {
  override readonly name = 'FolderError';
  readonly path: string;
  readonly at: string;
  /** Code of the system, for the errors that stores make of it. */
  readonly code: string;
  constructor(
    facts: { readonly path: string; readonly at: string; readonly why: string; readonly code: string },
    options?: ErrorOptions,
  ) {
    super(facts.why, options);
    this.path = facts.path;
    this.at = facts.at;
    this.code = facts.code;
  }
}

/**
 * Makes a folder and its missing parents, one level at a time from the nearest that is there. `mkdir` with `recursive` never ends on a file
 * system that answers ENOENT to every new folder (/proc), and blames the whole path where one part is a file. Throws FolderError.
 */
export const makeFolder = (path: string): void => {
  for (const folder of missingFolders(path)) {
    try {
      mkdirSync(folder);
    } catch (error) {
      const code = codeOf(error);
      // Another process was quicker.
      if (code === 'EEXIST' && statOf(folder)?.isDirectory() === true) continue;
      const said = error instanceof Error ? error.message : String(error);
      throw new FolderError({ path, at: folder, why: `${folder} cannot be made (${said})`, code }, { cause: error });
    }
  }
};

/** Folders to make before the path is one, outermost first; none where it is one. Throws FolderError where a file is in the way. */
export const missingFolders = (path: string): readonly string[] => {
  const missing: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    const found = statOf(at);
    if (found?.isDirectory() === true) return missing;
    if (found !== null) throw new FolderError({ path, at, why: `${at} is a file, not a folder`, code: 'ENOTDIR' });
    missing.unshift(at);
  }
};

/** null where there is nothing; below a file there is nothing either. */
const statOf = (path: string): Stats | null => {
  try {
    return statSync(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    const said = error instanceof Error ? error.message : String(error);
    throw new FolderError({ path, at: path, why: `${path} cannot be looked at (${said})`, code }, { cause: error });
  }
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO';

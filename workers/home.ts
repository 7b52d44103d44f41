import { accessSync, constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { FolderError, makeFolder, missingFolders } from '../services/storage/make-folder.ts';
import { ConfigError } from './config.ts';

/** Folders below it that campaigns write into. */
const folders = ['artifacts', 'bundles', 'data', 'judge', 'logs', 'reports', 'work'];

/** The state folder as it should be before anything is written: there, a folder, writable. Throws ConfigError that names ASI_HOME. */
export const ensureHome = (home: string): void => {
  try {
    makeFolder(home);
    accessSync(home, constants.W_OK);
    checkFolders(home);
  } catch (error) {
    throw homeError(home, error);
  }
};

/** For commands that only read: a home that is not there yet is none of their business, one that never can be is. Throws ConfigError. */
export const checkHome = (home: string): void => {
  try {
    missingFolders(home);
  } catch (error) {
    throw homeError(home, error);
  }
};

/** Whether it could be used as `ensureHome` would leave it, and nothing is made. Throws ConfigError that names ASI_HOME. */
export const checkUsableHome = (home: string): { readonly isThere: boolean } => {
  try {
    const [first] = missingFolders(home);
    accessSync(first === undefined ? home : dirname(first), constants.W_OK);
    if (first === undefined) checkFolders(home);
    return { isThere: first === undefined };
  } catch (error) {
    throw homeError(home, error);
  }
};

/** A report or a bundle is written when all is trained: what would stop it is said before anything is. */
const checkFolders = (home: string): void => {
  for (const path of folders.map((name) => join(home, name)))
    if (missingFolders(path).length === 0) accessSync(path, constants.W_OK);
};

const homeError = (home: string, error: unknown): Error => {
  if (!(error instanceof Error) || !('code' in error)) throw error;
  const why = error instanceof FolderError ? error.message : `this user may not write it: ${error.message}`;
  return new ConfigError(
    `ASI_HOME=${home} cannot be used: ${why}. Mend that, set ASI_HOME to a folder of yours, or unset it for .asi in the checkout.`,
    { cause: error },
  );
};

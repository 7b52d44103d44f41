import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from './make-folder.mjs';
import { remedyFor, SetupError } from './setup-error.mjs';

const STAMP = 'asi-stamp.json';

/**
 * What a finished cache folder says about itself, or null when it was never finished.
 * @param {string} folder
 * @returns {Record<string, any> | null}
 */
export const readStamp = (folder) => {
  try {
    return JSON.parse(readFileSync(join(folder, STAMP), 'utf8'));
  } catch {
    // Absent or cut short: both mean that the folder may not be used.
    return null;
  }
};

/**
 * Builds a cache folder beside its place, stamps it and renames it last, so that an interruption leaves nothing that looks whole.
 * @param {string} step  name for the error message
 * @param {string} folder  final place
 * @param {(staging: string) => Promise<Record<string, unknown>>} build  fills the staging folder and returns the stamp
 */
export const buildAside = async (step, folder, build) => {
  const staging = `${folder}.building-${process.pid}`;
  try {
    clearLeftovers(folder);
    makeFolder(staging);
    const stamp = await build(staging);
    writeFileSync(join(staging, STAMP), `${JSON.stringify(stamp, null, 2)}\n`, { flush: true });
    // A damaged folder in the place is moved away first, since a rename does not replace a folder that holds files.
    const old = `${folder}.old-${process.pid}`;
    try {
      renameSync(folder, old);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
    }
    renameSync(staging, folder);
    rmSync(old, { recursive: true, force: true });
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (error instanceof SetupError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new SetupError(
      step,
      `cannot build ${folder}: ${message}`,
      remedyFor(message, 'see the message above; then run the same command again'),
      error,
    );
  }
};

/**
 * Removes what an interrupted build left; the set-up lock says that nobody else is building.
 * @param {string} folder
 */
const clearLeftovers = (folder) => {
  const parent = dirname(folder);
  makeFolder(parent);
  for (const name of readdirSync(parent)) {
    if (name.startsWith(`${basename(folder)}.building-`) || name.startsWith(`${basename(folder)}.old-`)) {
      rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
};

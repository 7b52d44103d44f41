import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and its missing parents, one level at a time: `mkdir` with `recursive` never ends on a file system that answers ENOENT to
 * every new folder, such as /proc. Throws the system's error.
 * @param {string} path
 */
export const makeFolder = (path) => {
  const missing = [];
  for (let at = resolve(path); !isFolder(at); at = dirname(at)) missing.unshift(at);
  for (const folder of missing) {
    try {
      mkdirSync(folder);
    } catch (error) {
      // Another process was quicker; a file in the way is told by the next level or by whoever uses the folder.
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST' || !isFolder(folder)) throw error;
    }
  }
};

/** @param {string} path */
const isFolder = (path) => {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Absent, or below a file: making it says what is wrong.
    return false;
  }
};

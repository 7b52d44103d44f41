import { lstatSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';

/**
 * The real path of a plain file that lies inside the folder; null for anything else. A result that a candidate's process wrote may name any
 * path, or a link to one.
 */
export const plainFileInside = (folder: string, path: string): string | null => {
  try {
    const facts = lstatSync(path);
    const real = realpathSync(path);
    return facts.isFile() && facts.nlink === 1 && real.startsWith(`${realpathSync(folder)}${sep}`) ? real : null;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
};

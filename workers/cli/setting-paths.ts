import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { baselineNames } from '../../workflows/contracts/genome.ts';
import { nearNames } from '../../workflows/contracts/near-names.ts';
import type { CampaignInput } from '../../workflows/contracts/settings.ts';
import { badInput } from './command-error.ts';

/** The settings with paths made whole, since workers run in other folders. Throws a CommandError for a path that cannot be read. */
export const withWholePaths = (input: CampaignInput, folder: string): CampaignInput => ({
  ...input,
  ...(input.data?.kind === 'folder' ? { data: { kind: 'folder', path: readableFolder(input.data.path, folder) } } : {}),
  ...(input.starts === undefined ? {} : { starts: input.starts.map((start) => baselineOrFile(start, folder)) }),
});

export const withoutTilde = (path: string): string =>
  path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;

/** Whole path of a folder of text. Throws a CommandError. */
export const readableFolder = (path: string, folder: string): string => {
  const whole = resolve(folder, withoutTilde(path));
  const problem = `data.path: value "${path}"; right would be a folder of UTF-8 text files`;
  const found = lookAt(whole, problem);
  if (found === undefined) throw badInput(`${problem}; there is no ${whole}`);
  if (!found.isDirectory()) throw badInput(`${problem}; ${whole} is not a folder`);
  if (!isReadable(whole)) throw badInput(`${problem}; ${whole} may not be read by this user`);
  return whole;
};

/** A baseline's name as it is; anything else must be a readable file. */
const baselineOrFile = (start: string, folder: string): string => {
  if ((baselineNames as readonly string[]).includes(start)) return start;
  const near = nearNames(start, baselineNames);
  const right = `right would be a baseline${near.length > 0 ? ` (did you mean ${near.join(' or ')}?)` : ` (${baselineNames.join(', ')})`} or the path of a mixer file`;
  return readableFile({ field: 'starts', value: start, right }, folder);
};

/** Whole path of a file that can be read. Throws a CommandError that names field, value and what would be right. */
export const readableFile = (
  given: { readonly field: string; readonly value: string; readonly right: string },
  folder: string,
): string => {
  const whole = resolve(folder, withoutTilde(given.value));
  const problem = `${given.field}: value "${given.value}"; ${given.right}`;
  const found = lookAt(whole, problem);
  if (found === undefined) throw badInput(`${problem}; there is no file ${whole}`);
  if (!found.isFile()) throw badInput(`${problem}; ${whole} is not a file`);
  if (!isReadable(whole)) throw badInput(`${problem}; ${whole} may not be read by this user`);
  return whole;
};

/** Undefined where there is nothing. Throws a CommandError for links in a circle, a folder that may not be entered, a name too long. */
const lookAt = (path: string, problem: string): Stats | undefined => {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw badInput(`${problem}; ${path} cannot be looked at (${String(error.code)})`, { cause: error });
  }
};

const isReadable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false; // The one question asked here; the caller says what it means.
  }
};

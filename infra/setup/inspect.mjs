import { findPlaces } from './places.mjs';
import { everything, inspectAll } from './setup.mjs';

/**
 * What is on this machine and what is missing; changes nothing and takes well under a second.
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Promise<{ name: string, ok: boolean, version: string | null, path: string | null, found: string, remedy: string | null }[]>}
 */
export const inspect = async (environment = process.env) => {
  const found = await inspectAll(findPlaces(environment));
  return everything.flatMap((key) => found[key] ?? []).map((row) => ({ ...row, remedy: row.remedy ?? null }));
};

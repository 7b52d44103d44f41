import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Places
 * @property {string} checkout  root of the working copy
 * @property {string} cache  downloads that survive a clone (ASI_CACHE)
 * @property {string} home  state of this machine (ASI_HOME)
 * @property {NodeJS.ProcessEnv} environment
 * @property {string} platform  such as linux-x64
 */

/** @type {(environment?: NodeJS.ProcessEnv) => Places} */
export const findPlaces = (environment = process.env) => {
  const checkout = fileURLToPath(new URL('../..', import.meta.url));
  return {
    checkout,
    cache: resolve(environment.ASI_CACHE || join(homedir(), '.cache', 'asi-arch')),
    home: resolve(environment.ASI_HOME || join(checkout, '.asi')),
    environment,
    platform: `${process.platform}-${process.arch}`,
  };
};

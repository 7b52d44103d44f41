import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, lastLines, runCommand } from '../run-command.mjs';
import { remedyFor, SetupError } from '../setup-error.mjs';

export const name = 'npm packages';

/**
 * npm writes node_modules/.package-lock.json last, so what it lists is whole; it is compared with the lockfile of the checkout.
 * @type {import('../step.mjs').Inspect}
 */
export const inspect = async (places) => {
  const path = join(places.checkout, 'node_modules');
  const wanted = readPackages(join(places.checkout, 'package-lock.json'));
  if (wanted === null)
    return {
      ok: false,
      version: null,
      path,
      found: 'package-lock.json cannot be read',
      remedy: 'git checkout package-lock.json',
    };
  const present = readPackages(join(path, '.package-lock.json'));
  if (present === null) return { ok: false, version: null, path, found: 'not installed', remedy: 'npm run setup' };
  const different = findDifference(wanted, present, places.checkout);
  if (different !== null) return { ok: false, version: null, path, found: different, remedy: 'npm run setup' };
  return { ok: true, version: `${Object.keys(present).length} packages`, path, found: 'as locked' };
};

/** @type {import('../step.mjs').Install} */
export const install = async (places, { signal }) => {
  const npm = findOnPath('npm', places.environment);
  if (npm === null)
    throw new SetupError(
      name,
      'npm is not on PATH',
      'install npm (it comes with Node.js: https://nodejs.org; Debian has it as the package "npm")',
    );
  const { code, output } = await runCommand(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: places.checkout,
    environment: places.environment,
    ...(signal && { signal }),
  });
  if (code !== 0) {
    throw new SetupError(
      name,
      `npm ci failed in ${places.checkout}:\n${lastLines(output)}`,
      remedyFor(output, 'see the message above; then run the same command again'),
    );
  }
  const after = await inspect(places);
  if (!after.ok)
    throw new SetupError(name, `npm ci ended well, but ${after.found}`, 'delete node_modules and run the same command again');
  return `${after.version} by npm ci`;
};

/**
 * @typedef {Record<string, { version?: string, integrity?: string, optional?: boolean, devOptional?: boolean, peer?: boolean }>} Packages
 */

/**
 * @param {string} path
 * @returns {Packages | null}
 */
const readPackages = (path) => {
  try {
    const { '': _root, ...packages } = JSON.parse(readFileSync(path, 'utf8')).packages;
    return packages;
  } catch {
    return null;
  }
};

/**
 * @param {Packages} wanted
 * @param {Packages} present
 * @param {string} checkout
 * @returns {string | null} the first difference in words
 */
const findDifference = (wanted, present, checkout) => {
  for (const [path, { version, integrity, optional }] of Object.entries(wanted)) {
    const here = present[path];
    // npm leaves out optional packages of other platforms.
    if (here === undefined && optional) continue;
    if (here === undefined) return `${path} is missing`;
    if (here.version !== version || here.integrity !== integrity) return `${path} is ${here.version}, the lock says ${version}`;
    if (!existsSync(join(checkout, path, 'package.json'))) return `${path} was deleted`;
  }
  return null;
};

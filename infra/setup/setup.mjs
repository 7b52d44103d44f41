import { statfsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { SetupError } from './setup-error.mjs';
import { takeSetupLock } from './setup-lock.mjs';
import * as node from './steps/node.mjs';
import * as packages from './steps/packages.mjs';
import * as python from './steps/python.mjs';
import * as temporal from './steps/temporal.mjs';

/** @typedef {import('./step.mjs').Finding} Finding */
/** @typedef {import('./step.mjs').Step} Step */

/** @type {Readonly<Record<string, Step>>} */
const STEPS = { node, packages, python, temporal };
/** @type {readonly (keyof typeof STEPS)[]} */
export const everything = ['node', 'packages', 'python', 'temporal'];
const LOW_DISK_BYTES = 8 * 1024 ** 3;

/**
 * Looks at every step and changes nothing.
 * @param {import('./places.mjs').Places} places
 * @returns {Promise<Record<string, Finding & { name: string }>>}
 */
export const inspectAll = async (places) => {
  const found = await Promise.all(
    Object.entries(STEPS).map(async ([key, step]) => [key, { name: step.name, ...(await step.inspect(places)) }]),
  );
  return Object.fromEntries(found);
};

/**
 * Brings what is missing of `needs`, several steps at once, a line for each.
 * @param {import('./places.mjs').Places} places
 * @param {{ needs?: readonly string[], log: (line: string) => void, tellFound?: 'always' | 'beside-installs' | 'never' }} options  tellFound: when
 *   steps that have nothing to do get their line too
 * @returns {Promise<{ found: Record<string, Finding & { name: string }>, numInstalled: number }>}
 * @throws {SetupError} naming the step, what is wrong and the remedy
 */
export const setUp = async (places, { needs = everything, log, tellFound = 'never' }) => {
  if (process.platform === 'win32') {
    throw new SetupError(
      'this system',
      'Windows is not supported',
      'use WSL (https://learn.microsoft.com/windows/wsl): asi-arch runs on Linux and macOS',
    );
  }
  const startedAt = Date.now();
  const before = await inspectAll(places);
  const missing = needs.filter((key) => !before[key]?.ok);
  if (tellFound === 'always' || (tellFound === 'beside-installs' && missing.length > 0)) {
    for (const key of needs) if (before[key]?.ok) log(line(before[key], before[key].found, startedAt));
  }
  if (missing.length === 0) return { found: before, numInstalled: 0 };
  const releases = [];
  const forgetInterrupts = exitOnInterrupt(log);
  try {
    releases.push(await takeSetupLock(join(places.cache, 'setup.lock'), log));
    if (missing.includes('packages')) releases.push(await takeSetupLock(join(places.checkout, '.asi', 'setup.lock'), log));
    warnOfLowDisk(places, missing, log);
    await installAll(places, missing, log);
  } finally {
    for (const release of releases) release();
    forgetInterrupts();
  }
  return { found: await inspectAll(places), numInstalled: missing.length };
};

/**
 * A signal alone would end Node.js without its exit handlers, which stop npm, uv and go and give the locks back.
 * @param {(line: string) => void} log
 */
const exitOnInterrupt = (log) => {
  const onSignal = (/** @type {NodeJS.Signals} */ signal) => {
    log('set-up interrupted; run the same command again: finished steps are kept');
    process.exit(128 + constants.signals[signal]);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  return () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('SIGHUP', onSignal);
};

/**
 * What the programs of asi-arch find in their environment.
 * @param {import('./places.mjs').Places} places
 * @param {Record<string, Finding>} found
 * @returns {NodeJS.ProcessEnv}
 */
export const environmentFor = (places, found) => {
  const { node: nodeFinding, python: pythonFinding, temporal: temporalFinding } = found;
  const folders = [
    dirname(nodeFinding?.path ?? process.execPath),
    join(places.checkout, 'node_modules', '.bin'),
    places.environment.PATH ?? '',
  ];
  return {
    ...places.environment,
    ASI_HOME: places.home,
    ASI_CACHE: places.cache,
    ...(pythonFinding?.path && { ASI_PYTHON: pythonFinding.path }),
    ...(temporalFinding?.ok && temporalFinding.path && { ASI_TEMPORAL: temporalFinding.path }),
    PATH: folders.join(delimiter),
  };
};

/**
 * @param {import('./places.mjs').Places} places
 * @param {readonly string[]} missing
 * @param {(line: string) => void} log
 */
const installAll = async (places, missing, log) => {
  const controller = new AbortController();
  /** @type {SetupError[]} */
  const failures = [];
  await Promise.all(
    missing.map(async (key) => {
      const step = /** @type {Step} */ (STEPS[key]);
      const startedAt = Date.now();
      try {
        // Somebody else may have brought it while we waited for the lock.
        const again = await step.inspect(places);
        log(line(step, again.ok ? again.found : await step.install(places, { signal: controller.signal, log }), startedAt));
      } catch (error) {
        // The first failure is the news; what the others say after it is only that they were stopped.
        if (controller.signal.aborted) return;
        controller.abort();
        failures.push(error instanceof SetupError ? error : new SetupError(step.name, String(error), 'report this', error));
      }
    }),
  );
  if (failures[0] !== undefined) throw failures[0];
};

/**
 * @param {{ name: string, version?: string | null }} step
 * @param {string} text
 * @param {number} startedAt
 */
const line = (step, text, startedAt) => {
  const what = step.version ? `${step.version} (${text})` : text;
  return `set-up  ${step.name.padEnd(13)} ${what.padEnd(58)} ${((Date.now() - startedAt) / 1000).toFixed(1).padStart(7)} s`;
};

/**
 * Only a word: how much is needed depends on what the package caches hold already.
 * @param {import('./places.mjs').Places} places
 * @param {readonly string[]} missing
 * @param {(line: string) => void} log
 */
const warnOfLowDisk = (places, missing, log) => {
  if (!missing.includes('python') && !missing.includes('temporal')) return;
  const { bavail, bsize } = statfsSync(places.cache);
  const freeBytes = bavail * bsize;
  if (freeBytes < LOW_DISK_BYTES) {
    log(
      `note: ${(freeBytes / 1024 ** 3).toFixed(1)} GiB are free at ${places.cache}; the Python packages need about 5.5, the Go build about 2`,
    );
  }
};

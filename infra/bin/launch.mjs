import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { findPlaces } from '../setup/places.mjs';
import { environmentFor, setUp } from '../setup/setup.mjs';
import { SetupError } from '../setup/setup-error.mjs';

/**
 * @typedef {object} Ready
 * @property {string} checkout
 * @property {string} node  a Node.js that runs TypeScript
 * @property {NodeJS.ProcessEnv} environment
 */

/**
 * Sets up what is missing, or ends the process with the one message that says why not. All lines go to stderr, which leaves stdout to the program.
 * @param {{ needs?: readonly string[], quiet?: boolean }} [options]
 * @returns {Promise<Ready>}
 */
export const prepare = async ({ needs, quiet = false } = {}) => {
  const places = findPlaces();
  const startedAt = Date.now();
  try {
    // The first run of a checkout says where everything came from; later ones only what is new.
    const tellFound = quiet ? 'never' : existsSync(places.home) ? 'beside-installs' : 'always';
    const { found, numInstalled } = await setUp(places, {
      ...(needs && { needs }),
      log: (line) => console.error(line),
      tellFound,
    });
    if (numInstalled === 0 && !quiet)
      console.error(`set-up: nothing missing (${((Date.now() - startedAt) / 1000).toFixed(2)} s)`);
    return { checkout: places.checkout, node: found.node?.path ?? process.execPath, environment: environmentFor(places, found) };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.text);
    process.exit(1);
  }
};

/**
 * Runs a TypeScript entry of the checkout to its end.
 * @param {Ready} ready
 * @param {string} entry  path in the checkout
 * @param {readonly string[]} parameters
 * @returns {Promise<number>} its exit code
 */
export const runEntry = (ready, entry, parameters) =>
  runProgram(ready, ready.node, ['--disable-warning=ExperimentalWarning', join(ready.checkout, entry), ...parameters]);

/**
 * Runs a program on this terminal to its end and hands on the signals that only this process gets.
 * @param {Ready} ready
 * @param {string} program
 * @param {readonly string[]} parameters
 * @param {{ cwd?: string, environment?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>} exit code; 128 + number after a signal, as shells say it
 */
export const runProgram = ({ environment }, program, parameters, options = {}) =>
  new Promise((done, fail) => {
    const child = spawn(program, parameters, { stdio: 'inherit', cwd: options.cwd, env: options.environment ?? environment });
    // At a terminal Ctrl-C reaches the whole foreground group by itself, and npm hands it on once more; a second SIGINT would mean "cancel".
    const atTerminal = process.stdin.isTTY === true || process.stdout.isTTY === true || process.stderr.isTTY === true;
    const onInterrupt = () => {
      if (!atTerminal) child.kill('SIGINT');
    };
    const onTerminate = () => child.kill('SIGTERM');
    const onHangUp = () => child.kill('SIGHUP');
    process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate).on('SIGHUP', onHangUp);
    child.once('error', fail);
    child.once('close', (code, signal) => {
      process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate).off('SIGHUP', onHangUp);
      done(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });

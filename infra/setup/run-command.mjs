import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const TAIL_BYTES = 64 * 1024;

/**
 * @typedef {object} Finished
 * @property {number | null} code  null when the program could not start or a signal ended it
 * @property {string} output  the last 64 KiB of stdout and stderr together
 */

/**
 * Runs a program to its end; never throws. Its whole process group goes when `signal` aborts.
 * @param {string} program
 * @param {readonly string[]} parameters
 * @param {{ cwd?: string, environment?: NodeJS.ProcessEnv, signal?: AbortSignal, timeoutMs?: number }} [options]
 * @returns {Promise<Finished>}
 */
export const runCommand = (program, parameters, options = {}) =>
  new Promise((done) => {
    const child = spawn(program, parameters, {
      cwd: options.cwd,
      env: options.environment ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString('utf8')).slice(-TAIL_BYTES);
    };
    const killGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Gone already: that is what was wanted.
      }
    };
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(killGroup, options.timeoutMs);
    // A set-up that is interrupted must not leave npm, uv or go running behind it.
    process.once('exit', killGroup);
    options.signal?.addEventListener('abort', killGroup);
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const finish = (/** @type {number | null} */ code) => {
      clearTimeout(timer);
      process.off('exit', killGroup);
      options.signal?.removeEventListener('abort', killGroup);
      done({ code, output });
    };
    child.once('error', (error) => {
      output += error.message;
      finish(null);
    });
    child.once('close', finish);
  });

/**
 * Full path of a program on PATH, or null.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | null}
 */
export const findOnPath = (name, environment) => {
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    const path = join(folder || '.', name);
    if (isProgram(path)) return path;
  }
  return null;
};

/** @param {string} path */
export const isProgram = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/**
 * The last lines of an output, for an error message.
 * @param {string} output
 * @param {number} [numLines]
 */
export const lastLines = (output, numLines = 6) =>
  output
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-numLines)
    .join('\n');

import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildAside, readStamp } from './build-aside.mjs';
import { findOnPath, isProgram, lastLines, runCommand } from './run-command.mjs';
import { remedyFor, SetupError } from './setup-error.mjs';

const VERSION = '0.13.8';
const OLDEST_MINOR = 5;
const STEP = 'uv';
const BY_HAND =
  'install uv (https://docs.astral.sh/uv), or Python 3.11 to 3.13 with pip (Debian and Ubuntu: apt install python3-pip python3-venv)';

/**
 * uv on PATH, else the cached one, else one installed there by the Python at hand.
 * @param {import('./places.mjs').Places} places
 * @param {string | null} python
 * @param {import('./step.mjs').Context} context
 * @returns {Promise<string>} path of the program
 */
export const ensureUv = async (places, python, { signal }) => {
  const onPath = findOnPath('uv', places.environment);
  if (onPath !== null && (await isUsable(onPath))) return onPath;
  const folder = join(places.cache, 'uv', `${VERSION}-${places.platform}`);
  const program = join(folder, 'uv');
  if (readStamp(folder) !== null && isProgram(program)) return program;
  if (python === null) throw new SetupError(STEP, 'no uv and no Python from 3.11 to 3.13 on PATH', BY_HAND);
  await buildAside(STEP, folder, async (staging) => {
    // The user's pip may be told to refuse or to install elsewhere.
    const options = {
      environment: { ...places.environment, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' },
      ...(signal && { signal }),
    };
    const target = join(staging, 'package');
    mkdirSync(target);
    const lock = join(places.checkout, 'infra', 'setup', 'uv-requirements.lock');
    const wanted = [
      'install',
      '--quiet',
      '--require-hashes',
      '--only-binary',
      ':all:',
      '--no-deps',
      '--disable-pip-version-check',
      '--target',
      target,
    ];
    const byPip = await runCommand(python, ['-m', 'pip', ...wanted, '-r', lock], options);
    if (byPip.code !== 0) {
      // A Python without pip can often still make an environment that has one.
      const venv = join(staging, 'venv');
      const made = await runCommand(python, ['-m', 'venv', venv], options);
      const inVenv = join(venv, 'bin', 'python');
      const byVenv = made.code === 0 ? await runCommand(inVenv, ['-m', 'pip', ...wanted, '-r', lock], options) : made;
      if (byVenv.code !== 0) {
        const tries = `${python} -m pip: ${lastLines(byPip.output, 2)}\n${python} -m venv: ${lastLines(byVenv.output, 2)}`;
        throw new SetupError(STEP, `could not be installed\n${tries}`, remedyFor(byPip.output + byVenv.output, BY_HAND));
      }
    }
    renameSync(join(target, 'bin', 'uv'), join(staging, 'uv'));
    rmSync(target, { recursive: true, force: true });
    rmSync(join(staging, 'venv'), { recursive: true, force: true });
    return { version: VERSION };
  });
  return program;
};

/** @param {string} program */
const isUsable = async (program) => {
  const { code, output } = await runCommand(program, ['--version'], { timeoutMs: 10_000 });
  const [, major = '0', minor = '0'] = /uv (\d+)\.(\d+)/.exec(output) ?? [];
  return code === 0 && (Number(major) > 0 || Number(minor) >= OLDEST_MINOR);
};

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { buildAside, readStamp } from '../build-aside.mjs';
import { findOnPath, isProgram, lastLines, runCommand } from '../run-command.mjs';
import { remedyFor, SetupError } from '../setup-error.mjs';
import { ensureUv } from '../uv.mjs';

const NEEDED = ['torch', 'numpy', 'safetensors', 'jsonschema'];
const GET_PYTHON =
  'install Python 3.11, 3.12 or 3.13 (https://www.python.org/downloads; Debian and Ubuntu: apt install python3 python3-venv)';

export const name = 'Python';

/** @type {import('../step.mjs').Inspect} */
export const inspect = async (places) => {
  const { folder, program } = environmentPlace(places);
  const own = places.environment.ASI_PYTHON;
  // The launchers hand the place of the locked environment on, also when it is not there yet.
  if (own && own !== program) return inspectOwn(own);
  const stamp = readStamp(folder);
  if (stamp === null) return { ok: false, version: null, path: program, found: 'not installed', remedy: 'npm run setup' };
  const damage = findDamage(folder, program, stamp);
  if (damage !== null) return { ok: false, version: null, path: program, found: damage, remedy: 'npm run setup' };
  return { ok: true, version: `${stamp.python}, torch ${stamp.torch}`, path: program, found: 'as locked' };
};

/** @type {import('../step.mjs').Install} */
export const install = async (places, context) => {
  const { folder, lock, program } = environmentPlace(places);
  const own = places.environment.ASI_PYTHON;
  if (own && own !== program) {
    const { found } = await inspectOwn(own);
    throw new SetupError(
      name,
      `ASI_PYTHON=${own}: ${found}`,
      'unset ASI_PYTHON to get the locked environment, or name a Python 3.11+ that has the packages',
    );
  }
  const base = await findBasePython(places);
  const uv = await ensureUv(places, base?.path ?? null, context);
  // Without a fitting Python, uv may know one, or fetch one where it can reach its own source.
  const wanted = base?.path ?? '>=3.11,<3.14';
  await buildAside(name, folder, async (staging) => {
    const run = makeRunner(places, uv, context.signal);
    await run(
      ['venv', '--quiet', '--relocatable', '--allow-existing', '--python', wanted, staging],
      base === null ? GET_PYTHON : null,
    );
    const python = programIn(staging);
    await run(['pip', 'sync', '--quiet', '--require-hashes', '--strict', '--python', python, lock], null);
    const { code, output } = await runCommand(python, ['-I', '-c', PROBE, ...NEEDED], { environment: places.environment });
    if (code !== 0)
      throw new SetupError(name, `the new environment does not work:\n${lastLines(output)}`, 'report this with the lines above');
    const { python: version, torch } = JSON.parse(lastLines(output, 1));
    return { python: version, torch, base: realpathSync(python), packages: listPackages(staging) };
  });
  const done = await inspect(places);
  return `${done.version} installed`;
};

/** Prints the version of Python and torch as JSON; fails with a word on what is missing. Does not import the packages, which takes seconds. */
const PROBE = `
import importlib.metadata, importlib.util, json, sys
if sys.version_info < (3, 11):
    sys.exit('Python ' + sys.version.split()[0] + ' is older than 3.11')
missing = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
if missing:
    sys.exit('it lacks ' + ', '.join(missing))
print(json.dumps({'python': sys.version.split()[0], 'torch': importlib.metadata.version('torch')}))
`;

/** @param {string} program */
const inspectOwn = async (program) => {
  const remedy = 'unset ASI_PYTHON, or name a Python 3.11+ with torch, numpy, safetensors and jsonschema';
  if (!isProgram(program)) return { ok: false, version: null, path: program, found: 'ASI_PYTHON is no program', remedy };
  const { code, output } = await runCommand(program, ['-I', '-c', PROBE, ...NEEDED], { timeoutMs: 20_000 });
  if (code !== 0)
    return { ok: false, version: null, path: program, found: lastLines(output, 1) || 'ASI_PYTHON does not answer', remedy };
  const { python, torch } = JSON.parse(lastLines(output, 1));
  return { ok: true, version: `${python}, torch ${torch}`, path: program, found: 'ASI_PYTHON' };
};

/** @param {import('../places.mjs').Places} places */
const environmentPlace = (places) => {
  const lock = join(places.checkout, 'kernels', 'requirements.lock');
  const digest = createHash('sha256').update(readFileSync(lock)).digest('hex').slice(0, 16);
  const folder = join(places.cache, 'python', `${digest}-${places.platform}`);
  return { lock, folder, program: programIn(folder) };
};

/** @param {string} folder */
const programIn = (folder) => join(folder, 'bin', 'python');

/**
 * @param {string} folder
 * @returns {string[]} names of the installed packages' records
 */
const listPackages = (folder) => {
  const lib = join(folder, 'lib', readdirSync(join(folder, 'lib'))[0] ?? '');
  return readdirSync(join(lib, 'site-packages')).filter((entry) => entry.endsWith('.dist-info'));
};

/**
 * @param {string} folder
 * @param {string} program
 * @param {Record<string, any>} stamp
 * @returns {string | null}
 */
const findDamage = (folder, program, stamp) => {
  if (!existsSync(program)) return `the Python it was made from is gone (${stamp.base})`;
  try {
    const present = new Set(listPackages(folder));
    const lost = /** @type {string[]} */ (stamp.packages).filter((entry) => !present.has(entry));
    return lost.length === 0 ? null : `packages were deleted from it (${lost.slice(0, 3).join(', ')})`;
  } catch {
    return 'its folder of packages cannot be read';
  }
};

/**
 * The first interpreter of a version that the lock supports.
 * @param {import('../places.mjs').Places} places
 * @returns {Promise<{ path: string, version: string } | null>}
 */
export const findBasePython = async (places) => {
  for (const candidate of ['python3', 'python3.13', 'python3.12', 'python3.11', 'python']) {
    const path = findOnPath(candidate, places.environment);
    if (path === null) continue;
    const code = 'import sys; print(sys.executable); print(".".join(map(str, sys.version_info[:3])))';
    const answer = await runCommand(path, ['-I', '-c', code], { environment: places.environment, timeoutMs: 20_000 });
    const [executable = '', version = ''] = answer.output.trim().split('\n').slice(-2);
    if (answer.code === 0 && /^3\.1[123]\./.test(version)) return { path: executable, version };
  }
  return null;
};

/**
 * @param {import('../places.mjs').Places} places
 * @param {string} uv
 * @param {AbortSignal | undefined} signal
 */
const makeRunner = (places, uv, signal) => async (/** @type {string[]} */ parameters, /** @type {string | null} */ remedy) => {
  const { code, output } = await runCommand(uv, parameters, {
    cwd: places.checkout,
    environment: withoutActiveEnvironment(places.environment),
    ...(signal && { signal }),
  });
  if (code === 0) return;
  const what = remedy === null ? '' : 'no Python from 3.11 to 3.13 on PATH, and uv could not bring one; ';
  const otherwise = remedy ?? 'see the message above; then run the same command again';
  throw new SetupError(
    name,
    `${what}uv ${parameters.slice(0, 2).join(' ')} failed:\n${lastLines(output)}`,
    remedy ?? remedyFor(output, otherwise),
  );
};

/**
 * An activated environment of the user must not be changed in place of ours.
 * @param {NodeJS.ProcessEnv} environment
 */
const withoutActiveEnvironment = ({ VIRTUAL_ENV, CONDA_PREFIX, PYTHONPATH, PYTHONHOME, ...rest }) => rest;

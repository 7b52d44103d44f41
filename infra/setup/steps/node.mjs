import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildAside, readStamp } from '../build-aside.mjs';
import { findOnPath, isProgram, lastLines, runCommand } from '../run-command.mjs';
import { remedyFor, SetupError } from '../setup-error.mjs';

/** Node runs the TypeScript sources as they are from this version on, without a warning. */
const OLDEST = { major: 24, minor: 12 };
/** The bare binary as an npm package without an install script; the hash is the registry's own and is checked by npm. */
const BINARIES = {
  'linux-x64': {
    version: '24.21.0',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'linux-arm64': {
    version: '24.21.0',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  'darwin-x64': {
    version: '24.18.1',
    integrity: 'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
  },
};
const BY_HAND = 'install Node.js 24.12 or newer (https://nodejs.org) and run the same command with it';

export const name = 'Node.js';

/** @type {import('../step.mjs').Inspect} */
export const inspect = async (places) => {
  if (isNewEnough(process.versions.node))
    return { ok: true, version: process.versions.node, path: process.execPath, found: 'the Node.js that runs now' };
  const { folder, version, program } = cached(places);
  if (readStamp(folder) !== null && isProgram(program)) return { ok: true, version, path: program, found: 'cache' };
  return {
    ok: false,
    version: null,
    path: program,
    found: `Node.js ${process.versions.node} is too old`,
    remedy: 'npm run setup',
  };
};

/** @type {import('../step.mjs').Install} */
export const install = async (places, { signal }) => {
  const { folder, version, integrity, packageName } = cached(places);
  if (version === null) throw new SetupError(name, `no ready binary is known for ${places.platform}`, BY_HAND);
  const npm = findOnPath('npm', places.environment);
  if (npm === null)
    throw new SetupError(
      name,
      `npm is not on PATH, and Node.js ${process.versions.node} is too old`,
      `install npm, or ${BY_HAND}`,
    );
  await buildAside(name, folder, async (staging) => {
    const root = join(staging, 'npm');
    mkdirSync(root);
    const locked = { version, integrity };
    writeFileSync(join(root, 'package.json'), JSON.stringify({ private: true, dependencies: { [packageName]: version } }));
    writeFileSync(
      join(root, 'package-lock.json'),
      JSON.stringify({
        lockfileVersion: 3,
        packages: { '': { dependencies: { [packageName]: version } }, [`node_modules/${packageName}`]: locked },
      }),
    );
    const { code, output } = await runCommand(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: root,
      environment: places.environment,
      ...(signal && { signal }),
    });
    if (code !== 0)
      throw new SetupError(
        name,
        `npm could not fetch ${packageName}@${version}:\n${lastLines(output)}`,
        remedyFor(output, BY_HAND),
      );
    const inPackage = join(root, 'node_modules', packageName, binaryPath);
    mkdirSync(dirname(join(staging, binaryPath)), { recursive: true });
    copyFileSync(inPackage, join(staging, binaryPath));
    rmSync(root, { recursive: true });
    const answer = await runCommand(join(staging, binaryPath), ['--version']);
    if (answer.output.trim() !== `v${version}`) {
      throw new SetupError(name, `the fetched binary does not run here: ${lastLines(answer.output) || 'no answer'}`, BY_HAND);
    }
    return { version };
  });
  return `${version} fetched`;
};

const binaryPath = join('bin', 'node');

/** @param {import('../places.mjs').Places} places */
const cached = (places) => {
  const known = /** @type {Record<string, { version: string, integrity: string }>} */ (BINARIES)[places.platform];
  const folder = join(places.cache, 'node', `${known?.version ?? 'none'}-${places.platform}`);
  return {
    folder,
    version: known?.version ?? null,
    integrity: known?.integrity ?? '',
    packageName: `node-${places.platform}`,
    program: join(folder, binaryPath),
  };
};

/** @param {string} version */
const isNewEnough = (version) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor);
};

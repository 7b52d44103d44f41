import { statSync } from 'node:fs';
import { join } from 'node:path';
import { buildAside, readStamp } from '../build-aside.mjs';
import { findOnPath, isProgram, lastLines, runCommand } from '../run-command.mjs';
import { remedyFor, SetupError } from '../setup-error.mjs';
import { fetchRelease } from '../temporal-release.mjs';

/** The version of infra/temporal/go.mod, which is also the release that is fetched. */
const CLI_VERSION = '1.8.2';
/** Older servers lack the priority of tasks and the updates that the campaign uses. */
const OLDEST_SERVER = { major: 1, minor: 29 };
const REMEDY = [
  'any one of these will do:',
  '- install the Temporal CLI (https://docs.temporal.io/cli), so that "temporal" is on PATH',
  '- set TEMPORAL_CLI to the path of the binary',
  '- install Go 1.21 or newer (https://go.dev/dl; Debian and Ubuntu: apt install golang), from which it is built in about 8 minutes, once',
].join('\n');

export const name = 'Temporal';

/** @type {import('../step.mjs').Inspect} */
export const inspect = async (places) => {
  const named = places.environment.TEMPORAL_CLI;
  if (named) return inspectNamed(named);
  const { folder, program } = cachePlace(places);
  const stamp = readStamp(folder);
  const onPath = findOnPath('temporal', places.environment);
  if (onPath !== null) {
    const answer = await askVersion(onPath);
    if (answer.usable) return { ok: true, version: answer.version, path: onPath, found: 'on PATH' };
  }
  if (stamp !== null && isProgram(program) && statSync(program).size === stamp.sizeBytes) {
    return { ok: true, version: stamp.version, path: program, found: `cache (${stamp.source})` };
  }
  return {
    ok: false,
    version: null,
    path: program,
    found: stamp === null ? 'not installed' : 'the cached binary is damaged',
    remedy: 'npm run setup',
  };
};

/** @type {import('../step.mjs').Install} */
export const install = async (places, context) => {
  const tries = [];
  const named = places.environment.TEMPORAL_CLI;
  if (named) {
    const { found } = await inspectNamed(named);
    throw new SetupError(name, `TEMPORAL_CLI=${named}: ${found}`, 'set TEMPORAL_CLI to a working Temporal CLI, or unset it');
  }
  tries.push('TEMPORAL_CLI: not set');
  const onPath = findOnPath('temporal', places.environment);
  tries.push(
    onPath === null
      ? 'PATH: no program "temporal"'
      : `PATH: ${onPath}: ${(await askVersion(onPath)).version ?? 'does not answer'}, which is not usable`,
  );
  const { folder } = cachePlace(places);
  tries.push(`cache: nothing whole in ${folder}`);
  for (const [source, bring] of /** @type {const} */ ([
    ['official release', bringRelease],
    ['Go build', buildWithGo],
  ])) {
    const failure = await attempt(places, context, source, bring);
    if (failure === null) return `${CLI_VERSION} by ${source}`;
    tries.push(`${source}: ${failure.problem}`);
    context.log(`Temporal: no luck with the ${source}: ${failure.problem.split('\n')[0]}`);
    if (/disk is full|no permission/.test(failure.remedy)) throw new SetupError(name, tries.join('\n'), failure.remedy);
  }
  throw new SetupError(name, `no Temporal CLI could be had\n${tries.join('\n')}`, REMEDY);
};

/**
 * @param {import('../places.mjs').Places} places
 * @param {import('../step.mjs').Context} context
 * @param {string} source
 * @param {typeof bringRelease} bring
 * @returns {Promise<SetupError | null>}
 */
const attempt = async (places, context, source, bring) => {
  try {
    await buildAside(name, cachePlace(places).folder, async (staging) => {
      const program = join(staging, 'temporal');
      await bring(places, context, program);
      const { version } = await askVersion(program);
      if (version === null) throw new SetupError(name, 'the program does not run here', REMEDY);
      return { version, source, sizeBytes: statSync(program).size };
    });
    return null;
  } catch (error) {
    if (error instanceof SetupError) return error;
    throw error;
  }
};

/**
 * @param {import('../places.mjs').Places} places
 * @param {import('../step.mjs').Context} context
 * @param {string} program
 */
const bringRelease = async (places, { signal }, program) => {
  const problem = await fetchRelease({
    version: CLI_VERSION,
    program,
    environment: places.environment,
    ...(signal && { signal }),
  });
  if (problem !== null) throw new SetupError(name, problem, remedyFor(problem, REMEDY));
};

/** @type {typeof bringRelease} */
const buildWithGo = async (places, { signal, log }, program) => {
  const go = findOnPath('go', places.environment);
  if (go === null) throw new SetupError(name, 'no program "go" on PATH', REMEDY);
  const module = join(places.checkout, 'infra', 'temporal');
  log(`Temporal: building it from its Go sources with ${go}; the first time takes about 8 minutes on 2 cores`);
  const startedAt = Date.now();
  const pulse = setInterval(() => log(`Temporal: still building (${Math.round((Date.now() - startedAt) / 1000)} s)`), 60_000);
  const flags = `-s -w -X github.com/temporalio/cli/internal/temporalcli.Version=${CLI_VERSION}`;
  const { code, output } = await runCommand(
    go,
    ['build', '-trimpath', '-ldflags', flags, '-o', program, 'github.com/temporalio/cli/cmd/temporal'],
    {
      cwd: module,
      // "local" would refuse a Go older than go.mod names, which otherwise fetches its successor from the module proxy.
      environment: { ...places.environment, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'auto', GOWORK: 'off', CGO_ENABLED: '0' },
      ...(signal && { signal }),
    },
  );
  clearInterval(pulse);
  if (code !== 0) throw new SetupError(name, `${go} build failed: ${lastLines(output, 4)}`, remedyFor(output, REMEDY));
};

/** @param {string} path */
const inspectNamed = async (path) => {
  const remedy = 'set TEMPORAL_CLI to a working Temporal CLI, or unset it';
  if (!isProgram(path)) return { ok: false, version: null, path, found: 'no such program', remedy };
  const { version, usable } = await askVersion(path);
  if (!usable)
    return {
      ok: false,
      version,
      path,
      found: `${version ?? 'it does not answer'}; server ${OLDEST_SERVER.major}.${OLDEST_SERVER.minor} or newer is needed`,
      remedy,
    };
  return { ok: true, version, path, found: 'TEMPORAL_CLI' };
};

/** @param {string} program */
const askVersion = async (program) => {
  const { code, output } = await runCommand(program, ['--version'], { timeoutMs: 20_000 });
  const [, cli, server] = /version (\S+) \(Server (\d+\.\d+\.\d+)/.exec(output) ?? [];
  if (code !== 0 || cli === undefined || server === undefined) return { version: null, usable: false };
  const [major = 0, minor = 0] = server.split('.').map(Number);
  const usable = major > OLDEST_SERVER.major || (major === OLDEST_SERVER.major && minor >= OLDEST_SERVER.minor);
  return { version: `${cli}, server ${server}`, usable };
};

/** @param {import('../places.mjs').Places} places */
const cachePlace = (places) => {
  const folder = join(places.cache, 'temporal', `${CLI_VERSION}-${places.platform}`);
  return { folder, program: join(folder, 'temporal') };
};

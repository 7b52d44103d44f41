import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lastLines, runCommand } from './run-command.mjs';

const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
const RELEASES = 'https://github.com/temporalio/cli/releases/download';

/**
 * Fetches the Temporal CLI of the official release, checks it against the checksums published beside it, and puts it at `program`.
 * ASI_TEMPORAL_RELEASES names a mirror with the same folders.
 * @param {{ version: string, program: string, environment: NodeJS.ProcessEnv, signal?: AbortSignal }} wanted
 * @returns {Promise<string | null>} what failed, or null
 */
export const fetchRelease = async ({ version, program, environment, signal }) => {
  const archive = `temporal_cli_${version}_${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}.tar.gz`;
  const base = `${(environment.ASI_TEMPORAL_RELEASES || RELEASES).replace(/\/$/, '')}/v${version}`;
  const folder = mkdtempSync(join(dirname(program), 'release-'));
  try {
    const sums = (await download(`${base}/checksums.txt`, signal)).toString('utf8');
    const expected = sums
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find(([, file]) => file?.replace(/^\*/, '') === archive)?.[0];
    if (expected === undefined) return `${base}/checksums.txt does not name ${archive}`;
    const bytes = await download(`${base}/${archive}`, signal);
    const actual = createHash('sha256').update(bytes).digest('hex');
    if (actual !== expected) return `checksum mismatch of ${base}/${archive}: ${actual}, the release says ${expected}`;
    writeFileSync(join(folder, archive), bytes);
    const { code, output } = await runCommand('tar', ['-xzf', archive], { cwd: folder, environment });
    if (code !== 0) return `${archive} cannot be unpacked: ${lastLines(output, 1)}`;
    copyFileSync(join(folder, 'temporal'), program);
    chmodSync(program, 0o755);
    return null;
  } catch (error) {
    return `${base}: ${describe(error)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/**
 * @param {string} url
 * @param {AbortSignal | undefined} outer
 * @returns {Promise<Buffer>}
 */
const download = async (url, outer) => {
  const controller = new AbortController();
  const stop = () => controller.abort(new Error('the set-up was stopped'));
  outer?.addEventListener('abort', stop);
  let timer = setTimeout(
    () => controller.abort(new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`)),
    CONNECT_TIMEOUT_MS,
  );
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status} for ${url}`);
    const chunks = [];
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(
        () => controller.abort(new Error(`the download stood still for ${IDLE_TIMEOUT_MS / 1000} s`)),
        IDLE_TIMEOUT_MS,
      );
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', stop);
  }
};

/**
 * fetch says only "fetch failed"; the reason is in its cause.
 * @param {unknown} error
 */
const describe = (error) => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
};

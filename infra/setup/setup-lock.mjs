import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from './make-folder.mjs';
import { remedyFor, SetupError } from './setup-error.mjs';

const POLL_MS = 250;

/**
 * One set-up at a time for a folder: waits for a living owner, takes over from a dead one.
 * @param {string} path  lock file
 * @param {(line: string) => void} log
 * @returns {Promise<() => void>} releases the lock
 */
export const takeSetupLock = async (path, log) => {
  const own = `${process.pid} ${startOf(process.pid)}`;
  let saidThatWeWait = false;
  while (!claim(path, own)) {
    const owner = readOwner(path);
    if (owner === null) continue;
    if (!isAlive(owner)) {
      removeDead(path, owner);
      continue;
    }
    if (!saidThatWeWait) log(`another set-up is at work (process ${owner.split(' ')[0]}); waiting for it`);
    saidThatWeWait = true;
    await sleep(POLL_MS);
  }
  const release = () => rmSync(path, { force: true });
  process.once('exit', release);
  return () => {
    process.off('exit', release);
    release();
  };
};

/**
 * @param {string} path
 * @param {string} own  pid and start of this process
 * @returns {boolean} whether the lock is ours now
 */
const claim = (path, own) => {
  const draft = `${path}.${process.pid}`;
  let drafted = false;
  try {
    makeFolder(dirname(path));
    writeFileSync(draft, own);
    drafted = true;
    // link() is atomic and fails when the name is taken, and the lock is never seen half-written.
    linkSync(draft, path);
    return true;
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (drafted && code === 'EEXIST') return false;
    throw new SetupError(
      'cache folder',
      `cannot write ${path}: ${message}`,
      remedyFor(message, 'point ASI_CACHE at a folder that you may write'),
      error,
    );
  } finally {
    if (drafted) rmSync(draft, { force: true });
  }
};

/**
 * @param {string} path
 * @returns {string | null}
 */
const readOwner = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Released between the claim and now.
    return null;
  }
};

/**
 * Two processes may find the same dead owner; the one that moves away a living lock by mistake puts it back.
 * @param {string} path
 * @param {string} owner
 */
const removeDead = (path, owner) => {
  const grave = `${path}.dead-${process.pid}`;
  try {
    renameSync(path, grave);
    if (readFileSync(grave, 'utf8') !== owner) linkSync(grave, path);
  } catch {
    // Somebody else was quicker; the next claim decides.
  } finally {
    rmSync(grave, { force: true });
  }
};

/** @param {string} owner */
const isAlive = (owner) => {
  const [pidText = '', start = ''] = owner.split(' ');
  const pid = Number.parseInt(pidText, 10);
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPERM') return false;
  }
  return start === startOf(pid);
};

/**
 * Start of a process in clock ticks since boot (Linux), so that a pid used again is not taken for its former owner; '' elsewhere.
 * @param {number} pid
 */
const startOf = (pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
};

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process of this machine; the start mark tells it from a later one that got the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startMark: string;
}

/** null when there is no such process (any more). */
export const identify = (pid: number): ProcessIdentity | null => {
  const startMark = process.platform === 'linux' ? readStartTicks(pid) : readStartText(pid);
  return startMark === null ? null : { pid, startMark };
};

export const isRunning = (identity: ProcessIdentity): boolean => identify(identity.pid)?.startMark === identity.startMark;

/** Signals a process, or with a negative pid its group; one that is gone already is no error. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
};

/** Whether any process of the group is left, a zombie included. */
export const isGroupAlive = (groupPid: number): boolean => {
  try {
    process.kill(-groupPid, 0);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
};

const isGone = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ESRCH';

/** Field 22 of /proc/<pid>/stat: clock ticks since boot; the name in field 2 may hold spaces and brackets. A zombie counts as gone. */
const readStartTicks = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    // The folder of a process vanishes with it.
    return null;
  }
};

const readStartText = (pid: number): string | null => {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.trim() || null;
  } catch {
    // ps ends with 1 when there is no such process.
    return null;
  }
};

import { readdirSync, readFileSync } from 'node:fs';

/** Fields of /proc/<pid>/stat after the name, which may hold spaces; null for a process that is gone. */
const statOf = (pid: number): readonly string[] | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
};

/** This process and all below it, Linux only. */
export const processTree = (root: number): readonly number[] => {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const below = (parent: number): readonly number[] =>
    all.filter((pid) => Number(statOf(pid)?.[1]) === parent).flatMap((pid) => [pid, ...below(pid)]);
  return [root, ...below(root)];
};

/** A zombie has ended. */
export const isAlive = (pid: number): boolean => {
  const stat = statOf(pid);
  return stat !== null && stat[0] !== 'Z';
};

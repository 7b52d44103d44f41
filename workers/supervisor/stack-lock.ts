import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * One stack a home. The lock is an exclusive SQLite transaction that stays open: the kernel takes it back when the process ends, however
 * it ends, so there are no stale locks to judge. null when another process holds it.
 */
export const takeStackLock = (home: string): { readonly release: () => void } | null => {
  const database = new DatabaseSync(join(home, 'stack.lock'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && /database is locked/.test(error.message)) return null;
    throw error;
  }
  return { release: () => (database.isOpen ? database.close() : undefined) };
};

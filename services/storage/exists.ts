import { stat } from 'node:fs/promises';

/** Whether something is at the path; whatever else keeps it from being seen is thrown. */
export const exists = async (path: string): Promise<boolean> => {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
};

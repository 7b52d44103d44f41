import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const maxResultBytes = 16 * 1024 * 1024;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

export type ReadResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly label: 'no_result' | 'bad_result'; readonly detail: string };

/**
 * Reads a result that a candidate's process may have written: a symbolic link, a FIFO, a folder or a giant file is refused without being
 * followed, waited for or loaded.
 */
export const readResult = (path: string): ReadResult => {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return { ok: false, label: 'no_result', detail: 'result.json was not written' };
    if (code === 'ELOOP') return { ok: false, label: 'bad_result', detail: 'result.json is a symbolic link' };
    throw error;
  }
  try {
    const facts = fstatSync(descriptor);
    if (!facts.isFile() || facts.nlink > 1) return { ok: false, label: 'bad_result', detail: 'result.json is not a plain file' };
    if (facts.size > maxResultBytes)
      return { ok: false, label: 'bad_result', detail: `result.json has ${facts.size} bytes; the limit is ${maxResultBytes}` };
    const bytes = Buffer.alloc(facts.size);
    let filled = 0;
    while (filled < bytes.length) {
      const count = readSync(descriptor, bytes, filled, bytes.length - filled, filled);
      if (count === 0) break;
      filled += count;
    }
    return { ok: true, value: JSON.parse(strictUtf8.decode(bytes.subarray(0, filled))) };
  } catch (error) {
    if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      return { ok: false, label: 'bad_result', detail: 'result.json is not UTF-8' };
    if (error instanceof SyntaxError)
      return { ok: false, label: 'bad_result', detail: `result.json is not JSON: ${error.message}` };
    throw error;
  } finally {
    closeSync(descriptor);
  }
};

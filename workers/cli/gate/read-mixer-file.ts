import { readFileSync, statSync } from 'node:fs';
import { badInput } from '../command-error.ts';
import { readableFile } from '../setting-paths.ts';

/** As large as the gates read (kernels/asi_kernels/programs.py). */
export const largestProgramBytes = 1024 * 1024;
const right = 'right would be the path of a Python file with a class Mixer';

/** Text of a mixer file that a person named. Throws a CommandError, one line, for what is no text of a program. */
export const readMixerFile = (given: string, folder: string): { readonly path: string; readonly text: string } => {
  const path = readableFile({ field: 'file.py', value: given, right }, folder);
  const refuse = (found: string): Error => badInput(`file.py: value "${given}"; ${right}; ${found}`);
  const { size } = statSync(path);
  if (size === 0) throw refuse('this file is empty');
  if (size > largestProgramBytes)
    throw refuse(
      `this file has ${size.toLocaleString('en-US')} bytes; a program may have ${largestProgramBytes.toLocaleString('en-US')}`,
    );
  const bytes = readFileSync(path);
  if (bytes.includes(0)) throw refuse('this file is binary: it holds a zero byte');
  let text: string;
  try {
    // Without a byte order mark, which some editors put first: the text is what is hashed and stored.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw badInput(`file.py: value "${given}"; ${right}; this file is not UTF-8 text`, { cause: error });
  }
  if (text.trim() === '') throw refuse('this file is empty');
  return { path, text };
};

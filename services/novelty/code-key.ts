import { createHash } from 'node:crypto';
import { normalisePython } from './normalise-python.ts';

/** SHA-256 of the program without comments, docstrings, layout and names: equal for two programs that differ in nothing else. */
export const codeKey = (program: string): string => createHash('sha256').update(normalisePython(program)).digest('hex');

/** Code keys by program hash. Programs never change under their hash, so each is read and normalised once. */
export class CodeKeys {
  readonly #read: (programHash: string) => Promise<string | null>;
  readonly #keys = new Map<string, string>();

  /** `read` gives a program's text by its hash, null where the text is gone. */
  constructor(read: (programHash: string) => Promise<string | null>) {
    this.#read = read;
  }

  async keyOf(programHash: string): Promise<string | null> {
    const known = this.#keys.get(programHash);
    if (known !== undefined) return known;
    const program = await this.#read(programHash);
    if (program === null) return null;
    const key = codeKey(program);
    this.#keys.set(programHash, key);
    return key;
  }
}

import { closeSync, existsSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../../services/storage/make-folder.ts';

export interface RotatingLogOptions {
  readonly path: string;
  readonly maxBytes?: number;
  /** Files kept beside the current one: <path>.1 is the newest of them. */
  readonly numOld?: number;
  /** Told once when the log cannot be written, for a full disk must not end the processes whose lines it holds. */
  readonly onTrouble: (line: string) => void;
}

/** A log file that never grows beyond a size. Lines that cannot be written are dropped. */
export class RotatingLog {
  readonly path: string;
  readonly #options: Required<RotatingLogOptions>;
  #descriptor: number | null = null;
  #numBytes = 0;
  #inTrouble = false;

  constructor(options: RotatingLogOptions) {
    this.path = options.path;
    this.#options = { maxBytes: 10 * 1024 * 1024, numOld: 2, ...options };
  }

  write(chunk: Buffer | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    try {
      this.#descriptor ??= this.#open();
      if (this.#numBytes > 0 && this.#numBytes + bytes.length > this.#options.maxBytes) {
        this.#rotate();
        this.#descriptor = this.#open();
      }
      writeSync(this.#descriptor, bytes);
      this.#numBytes += bytes.length;
      this.#inTrouble = false;
    } catch (error) {
      if (!this.#inTrouble)
        this.#options.onTrouble(`${this.path} cannot be written (${describe(error)}); its lines are lost until it can`);
      this.#inTrouble = true;
    }
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #open(): number {
    makeFolder(dirname(this.path));
    const descriptor = openSync(this.path, 'a');
    this.#numBytes = fstatSync(descriptor).size;
    return descriptor;
  }

  #rotate(): void {
    this.close();
    for (let number = this.#options.numOld; number > 0; number -= 1) {
      const from = number === 1 ? this.path : `${this.path}.${number - 1}`;
      if (existsSync(from)) renameSync(from, `${this.path}.${number}`);
    }
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));

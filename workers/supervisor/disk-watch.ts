import { type DiskSpace, freeBytes, megabytes, remedyText, shortageText } from '../../services/storage/disk-space.ts';

export interface DiskWatchOptions {
  readonly home: string;
  /** Below it a word is due; from twice as much on all is well again, so that space at the edge makes no stream of lines. */
  readonly floorBytes: number;
  /** A line when space runs out, and one when it is back. */
  readonly onLine: (line: string) => void;
  /** Milliseconds between two looks. */
  readonly everyMs?: number;
  readonly readFreeBytes?: (folder: string) => number;
}

const usualEveryMs = 3_000;

/** Looks at the space below a home every few seconds until `stop`. */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #shortage: DiskSpace | null = null;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
    this.#look();
    this.#timer = setInterval(() => this.#look(), options.everyMs ?? usualEveryMs).unref();
  }

  /** What is wrong now, for a view; null while there is space. */
  get note(): string | null {
    return this.#shortage === null ? null : shortageText(this.#shortage);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { home, floorBytes, onLine, readFreeBytes = freeBytes } = this.#options;
    const free = readOrNull(readFreeBytes, home);
    if (free === null) return;
    const wasShort = this.#shortage !== null;
    const neededBytes = 2 * floorBytes;
    const isShort = free < (wasShort ? neededBytes : floorBytes);
    const shortage = { folder: home, freeBytes: free, neededBytes };
    this.#shortage = isShort ? shortage : null;
    if (isShort && !wasShort) onLine(`${shortageText(shortage)}; what cannot be written waits and is tried again; ${remedyText}`);
    if (!isShort && wasShort) onLine(`there is space again on the disk of ${home}: ${megabytes(free)} free`);
  }
}

/** null where the folder cannot be looked at: whoever needs it says so. */
const readOrNull = (read: (folder: string) => number, home: string): number | null => {
  try {
    return read(home);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
};

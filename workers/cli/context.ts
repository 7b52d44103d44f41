import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Archive } from '../../services/archive/archive.ts';
import { ArchiveUnavailableError } from '../../services/archive/archive-errors.ts';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import { openFolderArtifacts } from '../../services/artifacts/folder-artifacts.ts';
import { type Config, readConfig } from '../config.ts';
import { checkHome } from '../home.ts';
import { type Look, lookOf } from '../view/look.ts';
import { CommandError } from './command-error.ts';

export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** What a command may touch: its environment, its two streams, and this machine's state. */
export class CliContext {
  readonly environment: NodeJS.ProcessEnv;
  readonly stdout: TextStream;
  readonly stderr: TextStream;

  constructor(process: { readonly env: NodeJS.ProcessEnv; readonly stdout: TextStream; readonly stderr: TextStream }) {
    this.environment = process.env;
    this.stdout = process.stdout;
    this.stderr = process.stderr;
  }

  look(): Look {
    return lookOf(this.stdout, this.environment);
  }

  print(lines: readonly string[]): void {
    if (lines.length > 0) this.stdout.write(`${lines.join('\n')}\n`);
  }

  printJson(value: unknown): void {
    this.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** For what is said beside the result. */
  note(line: string): void {
    this.stderr.write(`${line}\n`);
  }

  /** Reading and steering need no Python, so they work before it is set up. */
  config(): Config {
    const config = this.variables();
    checkHome(config.home);
    return config;
  }

  /** What the environment says, wherever its home points. */
  variables(): Config {
    return readConfig({ ASI_PYTHON: 'python3', ...this.environment });
  }

  /** For commands that start processes: nothing may be missing. */
  wholeConfig(): Config {
    return readConfig(this.environment);
  }

  archivePath(): string {
    return join(this.config().home, 'archive.db');
  }

  artifacts(): Artifacts {
    return openFolderArtifacts(join(this.config().home, 'artifacts'));
  }

  artifactsToRead(): Artifacts {
    return openFolderArtifacts(join(this.config().home, 'artifacts'), { readOnly: true });
  }

  /** The archive as it is; a machine without one has no campaign yet. */
  withArchive<T>(work: (archive: Archive) => Promise<T>): Promise<T> {
    return useArchive(openSqliteArchive(this.#existingArchive()), work);
  }

  /** The same for commands that only read: whoever may read the file may run them. An archive of an older version is brought to this one first. */
  readArchive<T>(work: (archive: Archive) => Promise<T>): Promise<T> {
    return useArchive(openToRead(this.#existingArchive()), work);
  }

  #existingArchive(): string {
    const path = this.archivePath();
    if (!existsSync(path)) throw noCampaignYet(path);
    return path;
  }
}

const useArchive = async <T>(archive: Archive, work: (archive: Archive) => Promise<T>): Promise<T> => {
  try {
    return await work(archive);
  } finally {
    await archive.close();
  }
};

const openToRead = (path: string): Archive => {
  try {
    return openSqliteArchive(path, { readOnly: true });
  } catch (error) {
    if (!(error instanceof ArchiveUnavailableError) || error.reason !== 'older-version') throw error;
    return openSqliteArchive(path);
  }
};

export const howToStart =
  'Start one with "npm run discover", or with "npm start" in one terminal and "npx asi campaign start" in another.';

export const noCampaignYet = (path: string): CommandError =>
  new CommandError(`There is no campaign yet (no archive at ${path}). ${howToStart}`);

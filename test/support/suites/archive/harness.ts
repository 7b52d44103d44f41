import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Archive } from '../../../../services/archive/archive.ts';

/** One stored archive, empty at first, that a suite may open several times. */
export interface ArchiveStore {
  /** A connection of its own. */
  open(): Promise<Archive>;
  /** How another process opens it: `name` of `module` called with `location`. */
  readonly opener: { readonly module: string; readonly name: string; readonly location: string };
}
export type CreateStore = () => Promise<ArchiveStore>;

/** An open archive over a fresh store; closed when the test is over. */
export const freshArchive = async (create: CreateStore): Promise<Archive> => connect(await create());

export const connect = async (store: ArchiveStore): Promise<Archive> => {
  const archive = await store.open();
  onTestFinished(() => archive.close());
  return archive;
};

export interface WriterProcess {
  /** What it said it has written, so far. */
  readonly acknowledged: readonly string[];
  kill(): void;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null; readonly stderr: string }>;
  /** Resolves when it has said `count` lines. */
  saidLines(count: number): Promise<void>;
}

/** Runs test/support/suites/archive/writer.ts in a process of its own. */
export const startWriter = (store: ArchiveStore, job: Record<string, unknown>): WriterProcess => {
  const script = fileURLToPath(new URL('./writer.ts', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify({ ...store.opener, ...job })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const acknowledged: string[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let rest = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    acknowledged.push(...lines);
    for (const { count, resolve } of waiting) if (acknowledged.length >= count) resolve();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<Awaited<WriterProcess['ended']>>((resolve) =>
    child.once('close', (code, signal) => {
      for (const wait of waiting) wait.resolve();
      resolve({ code, signal, stderr });
    }),
  );
  return {
    acknowledged,
    kill: () => void child.kill('SIGKILL'),
    ended,
    saidLines: (count) =>
      new Promise((resolve) => {
        if (acknowledged.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
  };
};

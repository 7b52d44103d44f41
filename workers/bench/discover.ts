import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { checkoutFolder } from '../config.ts';

export interface DiscoverBench {
  readonly exitCode: number;
  readonly wallSeconds: number;
  /** Largest sum over the whole process tree of proportional set sizes: shared pages count once. */
  readonly peakMemoryBytes: number;
  readonly lines: readonly string[];
}

const sampleMs = 1000;

/** One `discover` in a home of its own, watched from outside. Linux only: memory is read from /proc. */
export const benchDiscover = async (
  parameters: readonly string[],
  options: { readonly signal: AbortSignal; readonly environment?: NodeJS.ProcessEnv },
): Promise<DiscoverBench> => {
  const home = mkdtempSync(join(tmpdir(), 'asi-bench-'));
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [join(checkoutFolder, 'workers', 'discover.ts'), ...parameters], {
    env: { ...process.env, ASI_HOME: home, ...options.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // It cancels its campaign and takes its stack down.
  options.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = new Promise<number>((resolve) => {
    child.once('close', (code) => resolve(code ?? 1));
  });
  const sampling = new AbortController();
  const peak = samplePeak(child.pid ?? process.pid, sampling.signal);
  const exitCode = await ended;
  const wallSeconds = (performance.now() - startedAtMs) / 1000;
  sampling.abort();
  const peakMemoryBytes = await peak;
  rmSync(home, { recursive: true, force: true });
  return { exitCode, wallSeconds, peakMemoryBytes, lines: output.split('\n') };
};

const samplePeak = async (root: number, signal: AbortSignal): Promise<number> => {
  let peak = 0;
  while (!signal.aborted) {
    peak = Math.max(peak, treeMemoryBytes(root));
    await setTimeout(sampleMs, undefined, { signal }).catch(() => undefined);
  }
  return peak;
};

const treeMemoryBytes = (root: number): number => {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(Number(name))]),
  );
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at) ?? undefined)
      if (at === root) return true;
    return false;
  };
  return [...parents.keys()].filter(isBelow).reduce((sum, pid) => sum + memoryBytes(pid), 0);
};

/** Null for a process that has just ended. */
const readProc = (pid: number, file: string): string | null => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
};

const parentOf = (pid: number): number | null => {
  const stat = readProc(pid, 'stat');
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
};

const memoryBytes = (pid: number): number => 1024 * Number(/^Pss:\s+(\d+)/m.exec(readProc(pid, 'smaps_rollup') ?? '')?.[1] ?? 0);

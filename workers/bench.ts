/** `npm run bench -- <name>`: prints figures of this machine. Timings are noisy on a shared one: compare within a run. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { archiveBenchLines, benchArchive } from './bench/archive.ts';
import { benchDiscover } from './bench/discover.ts';
import { benchGap } from './bench/gap.ts';
import { benchLoop } from './bench/loop.ts';
import { runNulls } from './bench/nulls.ts';
import { quantileText } from './bench/spans.ts';
import { checkoutFolder, readConfig } from './config.ts';
import { installRuntime } from './roles/runtime.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** A whole number from the command line, or the default. */
const count = (text: string | undefined, fallback: number): number => {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`count: "${text}" is not a whole number above 0`);
  return value;
};

/** Of a benchmark that runs a stack: ended by a signal, it is to take the stack down first. */
const stopping = new AbortController();
const stopStatus = { SIGINT: 130, SIGTERM: 143 } as const;
const untilSignal = (): AbortSignal => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      process.exitCode = stopStatus[signal];
      stopping.abort();
    });
  return stopping.signal;
};

const benches: Readonly<Record<string, (argument: string | undefined, options: readonly string[]) => Promise<void>>> = {
  async loop(argument) {
    installRuntime();
    const bench = await benchLoop(count(argument, 100), untilSignal());
    say(`loop: ${bench.numExperiments} experiments with an instant trainer in ${bench.wallSeconds.toFixed(1)} s`);
    say(`  experiments an hour       ${bench.experimentsAnHour.toFixed(0)}   (goal: at least 3600)`);
    say(`  idle gap on a slot        ${quantileText(bench.idleGapMs)}   (goal: under 1000 ms)`);
    say(`  worker CPU an experiment  ${bench.cpuMsAnExperiment.toFixed(0)} ms`);
  },
  async discover(preset = 'quick') {
    const bench = await benchDiscover(['--preset', preset], { signal: untilSignal() });
    for (const line of bench.lines) say(line);
    say(
      `discover: preset ${preset}, exit ${bench.exitCode}, ${bench.wallSeconds.toFixed(0)} s wall, peak memory ${(bench.peakMemoryBytes / 1e9).toFixed(2)} GB over all processes`,
    );
  },
  async gap(preset = 'tiny') {
    const { exitCode, gaps, slots } = await benchGap(preset, untilSignal());
    say(`gap: preset ${preset} on the real host, ${slots} slots, exit ${exitCode}, ${gaps.count} pairs of trainings`);
    say(`  between two trainings on a slot  ${quantileText(gaps.betweenMs)}   (scorings included)`);
    say(`  of that without any job          ${quantileText(gaps.idleMs)}   (goal: p50 under 1000 ms)`);
    if (exitCode !== 0) process.exitCode ??= 1;
  },
  // Tokens a CPU second of each baseline's mixer, and of whole trials of a rung.
  ops: (argument) => python('asi_kernels.bench.ops', argument),
  trial: (argument) => python('asi_kernels.bench.trial', argument),
  // Campaigns without a true gain, resampled from real trials: how often they say better, and what they find.
  nulls: (_, options) => runNulls(options, say),
  async archive(argument) {
    for (const line of archiveBenchLines(await benchArchive({ numExperiments: count(argument, 100_000) }))) say(line);
  },
};

const python = async (module: string, argument: string | undefined): Promise<void> => {
  const child = spawn(readConfig().python, ['-m', module, ...(argument === undefined ? [] : [argument])], {
    cwd: join(checkoutFolder, 'kernels'),
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    stdio: 'inherit',
  });
  const code = await new Promise((resolve) => {
    child.once('close', resolve);
  });
  if (code !== 0) process.exitCode = 1;
};

const [name = '', ...options] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(`bench: "${name}" is not a benchmark; there are ${Object.keys(benches).join(', ')}\n`);
  process.exitCode = 2;
} else {
  try {
    await bench(options[0], options);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    process.stderr.write(`bench ${name}: ended by a signal; the stack is down\n`);
  }
  process.exit();
}

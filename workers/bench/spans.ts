import { appendFileSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { pythonCommands } from '../../workflows/contracts/trial.ts';
import type { Host } from '../roles/roles.ts';

const spanSchema = z.strictObject({ command: z.enum(pythonCommands), startedAtMs: z.number(), endedAtMs: z.number() });

/** One job on a host. Times are milliseconds of one clock; only their differences mean something. */
export type Span = Readonly<z.infer<typeof spanSchema>>;

/** The same host, which writes a line for each job that has ended. */
export const withSpans = (host: Host, path: string): Host => ({
  start: () => host.start(),
  cancel: (id) => host.cancel(id),
  close: () => host.close(),
  run: async (job, onProgress, onUsed) => {
    const startedAtMs = performance.now();
    try {
      return await host.run(job, onProgress, onUsed);
    } finally {
      const span: Span = { command: job.command, startedAtMs, endedAtMs: performance.now() };
      appendFileSync(path, `${JSON.stringify(span)}\n`);
    }
  },
});

export const readSpans = (path: string): readonly Span[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => spanSchema.parse(JSON.parse(line)));

export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface Gaps {
  /** How many pairs of trainings that follow each other on a slot. */
  readonly count: number;
  /** From the end of the one to the start of the other, scorings between them included. */
  readonly betweenMs: Quantiles;
  /** The part of it in which nothing ran on the slot. */
  readonly idleMs: Quantiles;
}

/** Jobs in order of their start, each given to the slot that has been free for longest. */
export const gapsOf = (spans: readonly Span[], slots: number): Gaps => {
  const lanes = Array.from({ length: slots }, () => ({
    freeSinceMs: Number.NEGATIVE_INFINITY,
    trainedAtMs: null as number | null,
    idleMs: 0,
  }));
  const between: number[] = [];
  const idle: number[] = [];
  for (const span of spans.toSorted((a, b) => a.startedAtMs - b.startedAtMs)) {
    const lane = lanes.reduce((best, one) => (one.freeSinceMs < best.freeSinceMs ? one : best));
    if (lane.trainedAtMs !== null) lane.idleMs += Math.max(0, span.startedAtMs - lane.freeSinceMs);
    lane.freeSinceMs = span.endedAtMs;
    if (span.command !== 'train') continue;
    if (lane.trainedAtMs !== null) {
      between.push(Math.max(0, span.startedAtMs - lane.trainedAtMs));
      idle.push(lane.idleMs);
    }
    lane.trainedAtMs = span.endedAtMs;
    lane.idleMs = 0;
  }
  return { count: between.length, betweenMs: quantiles(between), idleMs: quantiles(idle) };
};

const quantiles = (values: readonly number[]): Quantiles => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
};

export const quantileText = ({ p50, p95, max }: Quantiles): string =>
  `p50 ${p50.toFixed(0)} ms   p95 ${p95.toFixed(0)} ms   max ${max.toFixed(0)} ms`;

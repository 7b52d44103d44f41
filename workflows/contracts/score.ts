import * as z from 'zod';
import { hashSchema } from './architecture.ts';
import { trialIdSchema } from './ids.ts';
import type { TaskKind } from './rung.ts';
import { sandboxTierSchema } from './sandbox.ts';

/**
 * bits-per-byte: held-out cross-entropy of the last snapshot, bits a byte, lower is better.
 * recall-auc: mean held-out cross-entropy over the snapshots, nats, lower is better. recall-accuracy: share right at the last snapshot.
 * copy-loss: held-out cross-entropy at the last snapshot, nats.
 */
export const metrics = ['bits-per-byte', 'recall-auc', 'recall-accuracy', 'copy-loss'] as const;
export const metricSchema = z.enum(metrics);
export type Metric = z.infer<typeof metricSchema>;
export const lowerIsBetter: Readonly<Record<Metric, boolean>> = {
  'bits-per-byte': true,
  'recall-auc': true,
  'recall-accuracy': false,
  'copy-loss': true,
};

/** What the judge measures of each task, all of it in every scoring. */
export const metricsOfTask = {
  bytes: ['bits-per-byte'],
  recall: ['recall-auc', 'recall-accuracy'],
  copy: ['copy-loss'],
} as const satisfies Readonly<Record<TaskKind, readonly Metric[]>>;

/**
 * What a score is for. search: guides the search; public seeds. promotion: confirms finalists; secret seeds and a shard of its own.
 * champion: asked once, of what is to be called better; fresh secret seeds and a fresh shard.
 */
export const scoreSets = ['search', 'promotion', 'champion'] as const;
export const scoreSetSchema = z.enum(scoreSets);
export type ScoreSet = z.infer<typeof scoreSetSchema>;

/** One number about one trial. Written and sealed only by the judge; append-only. */
export const scoreSchema = z.strictObject({
  trialId: trialIdSchema,
  metric: metricSchema,
  /** The official number: from prefixes at secret cuts (difference estimator, Cochran 1977, chapter 7), in the metric's unit. */
  value: z.number(),
  /** The same metric from whole sequences: information only. value - fullSequence is the gap. */
  fullSequence: z.number(),
  /** Standard error of the gap; practically zero for a causal program. */
  gapStandardError: z.number().min(0),
  /** Prefixes scored, and the different positions that they were cut at. */
  prefixes: z.int().min(0),
  cuts: z.int().min(0),
  set: scoreSetSchema,
  seed: z.int().min(0),
  rung: z.string(),
  programHash: hashSchema,
  checkpointHash: hashSchema,
  dataHash: hashSchema,
  /** Hash over the source of the judge. */
  judgeVersion: z.string(),
  sandboxTier: sandboxTierSchema,
  /** Canary programs that the sandbox held, of those tried: "14/14". */
  sandboxCanaries: z.string().regex(/^\d+\/\d+$/),
  /** Whether the canary that looks for held-out text of the standard library found none; absent in rows of older versions. */
  heldOutHidden: z.boolean().optional(),
  device: z.string(),
  /** HMAC-SHA256 by the judge's key over every other field. */
  seal: hashSchema,
});
export type Score = z.infer<typeof scoreSchema>;

import * as z from 'zod';
import { hashSchema } from './architecture.ts';
import { trialIdSchema } from './ids.ts';
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

/** One number about one trial. Written only by the scorer's side, never by the trainer; append-only. */
export const scoreSchema = z.strictObject({
  trialId: trialIdSchema,
  metric: metricSchema,
  value: z.number(),
  seed: z.int().min(0),
  rung: z.string(),
  programHash: hashSchema,
  checkpointHash: hashSchema,
  dataHash: hashSchema,
  scorerVersion: z.string(),
  sandboxTier: sandboxTierSchema,
  device: z.string(),
});
export type Score = z.infer<typeof scoreSchema>;

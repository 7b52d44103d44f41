import * as z from 'zod';
import { metricSchema } from './score.ts';

/** A difference with its interval, always signed so that positive is better. Units are the metric's. */
export const effectSchema = z.strictObject({
  metric: metricSchema,
  mean: z.number(),
  low: z.number(),
  high: z.number(),
  /** Number of common seeds behind it. */
  seeds: z.int().min(1),
  /** For example "paired t, pooled noise, 95 %". */
  method: z.string(),
});
export type Effect = z.infer<typeof effectSchema>;

export const comparisonSchema = z.strictObject({
  against: z.enum(['reference', 'parent', 'grandparent', 'sibling', 'best-baseline']),
  experimentId: z.string(),
  name: z.string(),
  effects: z.array(effectSchema),
  /** CPU seconds a trained token against the other's: above 1 is slower. */
  timeRatio: z.number().positive().nullable(),
  parameterRatio: z.number().positive().nullable(),
});
export type Comparison = z.infer<typeof comparisonSchema>;

/** What the analyst says of one experiment, from measured rows only. */
export const analysisSchema = z.strictObject({
  author: z.enum(['rules', 'agents']),
  summary: z.string().max(4000),
  comparisons: z.array(comparisonSchema),
  /** Short lessons that the researcher reads, each naming the change it speaks of. */
  lessons: z.array(z.strictObject({ change: z.string(), lesson: z.string().max(500), gain: z.number().nullable() })),
  /** What is still wrong with this architecture, in words that a literature search can use. */
  problem: z.string().max(1000),
});
export type Analysis = z.infer<typeof analysisSchema>;

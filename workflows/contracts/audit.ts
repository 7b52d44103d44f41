import * as z from 'zod';
import { gateResultSchema, hashSchema } from './architecture.ts';
import { failureLabelSchema } from './failure.ts';
import { experimentIdSchema } from './ids.ts';
import { sandboxTierSchema } from './sandbox.ts';

/**
 * The gates run again on a recorded experiment that is about to win something, with more cuts: 100 before its confirmation, 300 before it is
 * called better. Append-only; one a depth.
 */
export const auditSchema = z.strictObject({
  experimentId: experimentIdSchema,
  programHash: hashSchema,
  cuts: z.int().min(1),
  passed: z.boolean(),
  /** Set where it failed. */
  label: failureLabelSchema.nullable(),
  detail: z.string(),
  gates: z.array(gateResultSchema),
  sandboxTier: sandboxTierSchema,
  cpuSeconds: z.number().min(0),
  at: z.string(),
});
export type Audit = z.infer<typeof auditSchema>;

import * as z from 'zod';
import { hashSchema } from './architecture.ts';
import { experimentIdSchema, trialIdSchema } from './ids.ts';
import { scoreSetSchema } from './score.ts';

/**
 * Every scoring of an experiment whose rows the judge has sealed, sealed in its turn: it tells of rows that were left out or added. A trial that
 * was scored twice on a set, because a worker died in between, has two entries where the numbers differ.
 */
export const scoreListSchema = z.strictObject({
  experimentId: experimentIdSchema,
  scorings: z.array(
    z.strictObject({
      trialId: trialIdSchema,
      set: scoreSetSchema,
      rows: z.int().min(1),
      /** SHA-256 of the lines `<metric> <seal>` of the rows, sorted. */
      digest: hashSchema,
    }),
  ),
  /** HMAC-SHA256 by the judge's key over the two other fields. */
  seal: hashSchema,
});
export type ScoreList = z.infer<typeof scoreListSchema>;

import * as z from 'zod';
import { failureLabelSchema } from './failure.ts';

/**
 * Programs that every campaign sends through its own gates before it may call anything better (kernels/asi_kernels/controls). An honest one
 * must pass and each planted cheat must fall, or the gates do not do here what they say.
 */
export const controlNames = ['running-mean', 'leak-at-few-positions', 'leak-told-by-content'] as const;
export const controlNameSchema = z.enum(controlNames);
export type ControlName = z.infer<typeof controlNameSchema>;

export const controlOutcomeSchema = z.strictObject({
  name: controlNameSchema,
  /** Whether it ended as it must: an honest one passed, a cheat fell at the gate that is made for it. */
  held: z.boolean(),
  /** How the check ended; null where every gate passed. */
  label: failureLabelSchema.nullable(),
  detail: z.string().max(4000),
});
export type ControlOutcome = z.infer<typeof controlOutcomeSchema>;

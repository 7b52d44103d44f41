import * as z from 'zod';

export { campaignIdForWorkflow, campaignOf, experimentId, idAtRate, rateOf, trialId } from './naming.ts';

/** Fixed before any side effect, so that retries and restarts find their own work. */
export const campaignIdSchema = z
  .string()
  .regex(/^c-[a-z0-9][a-z0-9-]{0,46}$/, 'must be "c-" and up to 47 lower-case letters, digits and dashes');
export const experimentIdSchema = z.string().regex(/^c-[a-z0-9][a-z0-9-]{0,46}\/e\d{4,6}$/);
export const trialIdSchema = z.string().regex(/^c-[a-z0-9][a-z0-9-]{0,46}\/e\d{4,6}\/[a-z0-9-]{1,43}\/s\d+$/);

import * as z from 'zod';

/**
 * Append-only. A reserve row holds an upper estimate before something is started; its settle row replaces it with what was used.
 * A cap holds when settled plus still-open reserves stay below it at every moment.
 */
export const ledgerRowSchema = z.strictObject({
  /** `<what it is for>#reserve` or `<...>#settle`: unique, so that a retry writes nothing twice. */
  id: z.string(),
  campaignId: z.string(),
  /** Id of what the amount is for, the same in both rows. */
  purpose: z.string(),
  kind: z.enum(['reserve', 'settle']),
  resource: z.enum(['trial-seconds', 'check-seconds', 'tokens', 'dollars']),
  amount: z.number().min(0),
  at: z.string(),
});
export type LedgerRow = z.infer<typeof ledgerRowSchema>;

export interface LedgerTotal {
  readonly settled: number;
  /** Reserved and not settled yet. */
  readonly open: number;
}

import * as z from 'zod';

/**
 * Strongest first. S2: namespaces, system-call filter, cgroup limits, a counted workspace. S1: S2 without cgroups. S0L: Landlock and a system-call
 * filter, no namespaces. S0P: an own uid, resource limits, strict intake. none: the operator's own rights. S3 (a kernel of its own) is not built.
 */
export const sandboxTiers = ['S3', 'S2', 'S1', 'S0L', 'S0P', 'none'] as const;
export const sandboxTierSchema = z.enum(sandboxTiers);
export type SandboxTier = z.infer<typeof sandboxTierSchema>;
/** What a campaign may ask for: a tier that no machine can prove would be waited for without end. */
export const sandboxNeedSchema = sandboxTierSchema.exclude(['S3']);

/** What the host found when it probed its own sandbox at its start: the tier is what the canary programs proved, never what was assumed. */
export const sandboxFactsSchema = z.strictObject({
  tier: sandboxTierSchema,
  kernel: z.string(),
  /** Version of bubblewrap, or null where the host runs without it. */
  bubblewrap: z.string().nullable(),
  cgroups: z.enum(['v2', 'v1']).nullable(),
  landlockAbi: z.int().min(0).nullable(),
  /** User id that candidate code runs as, seen from outside. */
  uid: z.int().min(0).nullable(),
  /** A canary is a small program that tries one thing; held: it was stopped. */
  canaries: z.array(z.strictObject({ name: z.string(), held: z.boolean(), detail: z.string() })),
  /** Why the next stronger tier is not there, with the remedy; empty at the strongest. */
  missing: z.string(),
});
export type SandboxFacts = z.infer<typeof sandboxFactsSchema>;

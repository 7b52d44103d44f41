import * as z from 'zod';
import { analysisSchema, effectSchema } from './analysis.ts';
import { architectureSchema, gateResultSchema } from './architecture.ts';
import { failureSchema } from './failure.ts';
import { genomeSchema } from './genome.ts';
import { campaignIdSchema, experimentIdSchema } from './ids.ts';
import { sandboxTierSchema } from './sandbox.ts';
import { metricSchema } from './score.ts';

/**
 * proposed: has a program. checked: passed every gate. trained: trials of the exploring seeds are done. judged: scores are in.
 * analysed: compared with its relatives. Terminal: recorded, rejected (novelty, static review, gate), failed (label), cancelled.
 * `planned` is the moment between the id and the proposal.
 */
export const experimentStates = [
  'planned',
  'proposed',
  'checked',
  'trained',
  'judged',
  'analysed',
  'recorded',
  'rejected',
  'failed',
  'cancelled',
] as const;
export const experimentStateSchema = z.enum(experimentStates);
export type ExperimentState = z.infer<typeof experimentStateSchema>;
export const terminalStates = ['recorded', 'rejected', 'failed', 'cancelled'] as const;
export const isTerminal = (state: ExperimentState): boolean => (terminalStates as readonly string[]).includes(state);

/** One edit of the parent's genome: gene path, old and new value in words. */
export const changeSchema = z.strictObject({
  gene: z.string(),
  from: z.string(),
  to: z.string(),
  /** True where it changes the recurrence itself (decay, write, erase, key tie, feature map, query-key norm, readout). */
  recurrence: z.boolean(),
});
export type Change = z.infer<typeof changeSchema>;

export const proposalSchema = z.strictObject({
  name: z.string().min(1).max(80),
  motivation: z.string().max(4000),
  expectedEffect: z.string().max(1000),
  changes: z.array(changeSchema),
  author: z.enum(['baseline', 'evolver', 'agents', 'user']),
  /** Search operator that made it, for credit: for example "mutate:decay", "crossover". */
  operator: z.string(),
  genome: genomeSchema.nullable(),
});
export type Proposal = z.infer<typeof proposalSchema>;

/** Fitness of a finished experiment; higher is better; recomputed from score rows only. */
export const fitnessSchema = z.strictObject({
  rule: z.enum(['paired-gain', 'asi-arch']),
  value: z.number(),
  /** Gain over the reference baseline per metric, on common seeds. */
  effects: z.array(effectSchema),
  /** Weakest tier that the rows behind it were made in; a mark for good. Absent in records from before it was kept. */
  sandboxTier: sandboxTierSchema.optional(),
});
export type Fitness = z.infer<typeof fitnessSchema>;

export const verdictSchema = z.strictObject({
  /**
   * better: the interval over every compared baseline lies above zero. known-baseline: it is one, whatever it scores. unsandboxed: scored
   * without a wall in a campaign with programs that are not ours, so that the scores prove nothing.
   */
  verdict: z.enum(['better', 'not-distinguishable', 'worse', 'known-baseline', 'unsandboxed']),
  /** Name of the baseline it could not be told from, the strongest one it beat, or the one that it is. */
  against: z.string(),
  effect: effectSchema,
  /** One sentence with method and seeds. */
  statement: z.string(),
  /** Weakest tier that the rows behind it were made in; absent in records from before it was kept. */
  sandboxTier: sandboxTierSchema.optional(),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** What was too good about an exploring result, so that it was audited before it counted (security.md, V12). */
export const doubtSchema = z.strictObject({
  metric: metricSchema,
  /** The value seen and the limit. */
  reason: z.string().max(1000),
  /** open: not audited yet. held: it is there on fresh data too. fell: it is not. */
  outcome: z.enum(['open', 'held', 'fell']),
  /** What the fresh data said. */
  detail: z.string().max(1000),
});
export type Doubt = z.infer<typeof doubtSchema>;

export const experimentSchema = z.strictObject({
  id: experimentIdSchema,
  campaignId: campaignIdSchema,
  number: z.int().min(0),
  kind: z.enum(['baseline', 'start', 'candidate']),
  arm: z.enum(['policy', 'control', 'none']),
  state: experimentStateSchema,
  /** Rises by one with every write; a writer must name the epoch it read. */
  epoch: z.int().min(0),
  parentId: experimentIdSchema.nullable(),
  referenceIds: z.array(experimentIdSchema),
  /** Ancestors from the root to the parent. */
  ancestors: z.array(experimentIdSchema),
  /** Version of the pool that the sampler saw. */
  poolVersion: z.int().min(0),
  proposal: proposalSchema.nullable(),
  architecture: architectureSchema.nullable(),
  gates: z.array(gateResultSchema),
  /** Programs tried before this one in the same experiment and why they were refused. */
  attempts: z.array(z.strictObject({ hash: z.string(), proposal: proposalSchema.nullable(), failure: failureSchema })),
  fitness: fitnessSchema.nullable(),
  /** Absent where nothing was too good, as it is for nearly all. */
  doubts: z.array(doubtSchema).optional(),
  analysis: analysisSchema.nullable(),
  verdict: verdictSchema.nullable(),
  failure: failureSchema.nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
  finishedAt: z.string().nullable(),
});
export type Experiment = z.infer<typeof experimentSchema>;

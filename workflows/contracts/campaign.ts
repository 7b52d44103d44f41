import * as z from 'zod';
import { effectSchema } from './analysis.ts';
import { controlOutcomeSchema } from './control.ts';
import { dataManifestSchema } from './data.ts';
import { campaignIdSchema, experimentIdSchema } from './ids.ts';
import { atRate, type Rung, rungSchema, rungs } from './rung.ts';
import { metricSchema } from './score.ts';
import { type CampaignSettings, settingsSchema } from './settings.ts';
import type { Trial } from './trial.ts';

export const campaignStates = ['calibrating', 'exploring', 'verifying', 'paused', 'finished', 'cancelled', 'failed'] as const;
export const campaignStateSchema = z.enum(campaignStates);
export type CampaignState = z.infer<typeof campaignStateSchema>;
export const isCampaignOver = (state: CampaignState): boolean =>
  state === 'finished' || state === 'cancelled' || state === 'failed';

/** What seeds alone do on this rung, from the baselines' exploring trials. */
export const noiseFloorSchema = z.strictObject({
  metric: metricSchema,
  /** Standard deviation of the paired difference of two single runs on a common seed, pooled over baselines. */
  pairedSd: z.number().min(0),
  degreesOfFreedom: z.int().min(0),
  /** Smallest gain that the confirming comparison can tell from zero nine times in ten. */
  minimumDetectable: z.number().min(0),
});
export type NoiseFloor = z.infer<typeof noiseFloorSchema>;

/** The ranked candidates that parents and references are drawn from, replaced as a whole. */
export const poolSchema = z.strictObject({
  version: z.int().min(0),
  /** Best first. */
  entries: z.array(z.strictObject({ experimentId: experimentIdSchema, fitness: z.number(), depth: z.int().min(0) })),
});
export type Pool = z.infer<typeof poolSchema>;
export type PoolEntry = Pool['entries'][number];

export const conclusionSchema = z.strictObject({
  /** better: at least one finalist is; none: the truth is that nothing was found. */
  verdict: z.enum(['better', 'nothing-found']),
  statement: z.string(),
  finalists: z.array(
    z.strictObject({ experimentId: experimentIdSchema, name: z.string(), effect: effectSchema, verdict: z.string() }),
  ),
  reportPath: z.string().nullable(),
  /** Why there is no report file; absent where there is one. */
  reportFailure: z.string().optional(),
  bundlePaths: z.array(z.string()),
  /** Experiments whose bundle could not be written, and why; absent where there is none. */
  bundleFailures: z.array(z.strictObject({ experimentId: experimentIdSchema, detail: z.string() })).optional(),
});
export type Conclusion = z.infer<typeof conclusionSchema>;

/** New caps that a person gave a running campaign, and when. */
const budgetChangeSchema = z.strictObject({
  at: z.string(),
  caps: settingsSchema.pick({ experiments: true, minutes: true, trialSeconds: true }),
});

export const campaignSchema = z.strictObject({
  id: campaignIdSchema,
  workflowId: z.string(),
  /** First run id of the workflow; tells a second campaign with the same id from a retry. */
  runId: z.string(),
  state: campaignStateSchema,
  epoch: z.int().min(0),
  /** As it was started. */
  settings: settingsSchema,
  /** The recipe of its rung when it was started, whatever a later version trains by that name; absent in records of older versions. */
  rung: rungSchema.optional(),
  /** In the order in which they were made; absent where none was. */
  budgetChanges: z.array(budgetChangeSchema).optional(),
  data: dataManifestSchema,
  noise: z.array(noiseFloorSchema),
  /** How the controls of its gates ended; absent before they were run. */
  controls: z.array(controlOutcomeSchema).optional(),
  conclusion: conclusionSchema.nullable(),
  /** Why it failed or was cancelled. */
  reason: z.string().nullable(),
  versions: z.record(z.string(), z.string()),
  createdAt: z.string(),
  updatedAt: z.string(),
  finishedAt: z.string().nullable(),
});
export type Campaign = z.infer<typeof campaignSchema>;

/** What the campaign trains; in a record of an older version, what this version knows by the name. */
export const rungOf = ({ rung, settings }: Pick<Campaign, 'rung' | 'settings'>): Rung => rung ?? rungs[settings.rung];

/** What one of its trials trains. */
export const rungOfTrial = (campaign: Pick<Campaign, 'rung' | 'settings'>, { rate }: Pick<Trial, 'rate'>): Rung =>
  atRate(rungOf(campaign), rate);

/** The settings with the caps that hold now. */
export const settingsInForce = ({ settings, budgetChanges }: Pick<Campaign, 'settings' | 'budgetChanges'>): CampaignSettings => ({
  ...settings,
  ...budgetChanges?.at(-1)?.caps,
});

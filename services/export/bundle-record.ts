import * as z from 'zod';
import { architectureSchema, hashSchema } from '../../workflows/contracts/architecture.ts';
import { auditSchema } from '../../workflows/contracts/audit.ts';
import { type Campaign, campaignSchema, rungOf } from '../../workflows/contracts/campaign.ts';
import { dataManifestSchema } from '../../workflows/contracts/data.ts';
import {
  doubtSchema,
  type Experiment,
  experimentSchema,
  proposalSchema,
  verdictSchema,
} from '../../workflows/contracts/experiment.ts';
import { experimentIdSchema } from '../../workflows/contracts/ids.ts';
import { scoreSchema } from '../../workflows/contracts/score.ts';
import { type Trial, trialSchema } from '../../workflows/contracts/trial.ts';

/** What a bundle tells of an ancestor, a reference or a baseline. */
const relativeSchema = z.strictObject({
  ...experimentSchema.pick({ id: true, number: true, kind: true, arm: true, state: true, parentId: true }).shape,
  name: proposalSchema.shape.name.nullable(),
  author: proposalSchema.shape.author.nullable(),
  operator: proposalSchema.shape.operator.nullable(),
  motivation: proposalSchema.shape.motivation.nullable(),
  changes: proposalSchema.shape.changes,
  programHash: hashSchema.nullable(),
  fitness: z.number().nullable(),
  verdict: verdictSchema.shape.verdict.nullable(),
});
export type Relative = z.infer<typeof relativeSchema>;

const scoredSchema = z.strictObject({ experimentId: experimentIdSchema, scores: z.array(scoreSchema) });

const campaignPart = z.strictObject({
  ...campaignSchema.pick({ id: true, runId: true, settings: true, noise: true, versions: true }).shape,
  controls: campaignSchema.shape.controls.unwrap(),
  budgetChanges: campaignSchema.shape.budgetChanges.unwrap(),
  rung: campaignSchema.shape.rung.unwrap(),
  data: dataManifestSchema.omit({ folder: true }),
});
const experimentPart = z.strictObject({
  ...experimentSchema.pick({
    id: true,
    campaignId: true,
    number: true,
    kind: true,
    arm: true,
    parentId: true,
    referenceIds: true,
    ancestors: true,
    gates: true,
    attempts: true,
    fitness: true,
    analysis: true,
    verdict: true,
  }).shape,
  /** What was too good about it, and what fresh data said; empty for nearly all. */
  doubts: z.array(doubtSchema),
  state: z.literal('recorded'),
  proposal: proposalSchema,
  architecture: architectureSchema,
});
const trialPart = z.strictObject(
  trialSchema.pick({
    id: true,
    rung: true,
    seed: true,
    purpose: true,
    rate: true,
    state: true,
    curve: true,
    checkpointArtifact: true,
    cpuSeconds: true,
    usage: true,
    fixedLogits: true,
    tokensPerSecond: true,
    peakMemoryBytes: true,
    failure: true,
  }).shape,
);

/**
 * Every fact that a bundle is made of. All other files follow from this one, from the program and from the checkpoint, so that verification can
 * make them again. Holds no path of a machine, and nothing that changes after the verdict.
 */
export const bundleRecordSchema = z.strictObject({
  campaign: campaignPart,
  experiment: experimentPart,
  trials: z.array(trialPart),
  scores: z.array(scoreSchema),
  audits: z.array(auditSchema),
  /** From the root to the parent. */
  ancestors: z.array(relativeSchema),
  references: z.array(relativeSchema),
  baselines: z.array(z.strictObject({ ...relativeSchema.shape, scores: z.array(scoreSchema) })),
  /** What the reference's trainings on fresh seeds used, for the cost that a verdict tells. */
  referenceSeconds: z.array(z.strictObject({ seed: z.int(), trainSeconds: z.number().min(0) })),
  /** Exploring rows that the noise behind fitness and verdict is made of, in the order in which they are pooled. */
  noise: z.array(scoredSchema),
});
export type BundleRecord = z.infer<typeof bundleRecordSchema>;

/** The part of the records of a home that a bundle tells, with its keys in the order of the schemas. */
export const toRecord = (
  facts: Omit<BundleRecord, 'campaign' | 'experiment' | 'trials'> & {
    readonly campaign: Campaign;
    readonly experiment: Experiment;
    readonly trials: readonly Trial[];
  },
): BundleRecord => {
  const { campaign, experiment, trials } = facts;
  const data = campaignPart.shape.data.strip().parse(campaign.data);
  return bundleRecordSchema.parse({
    ...facts,
    campaign: campaignPart.strip().parse({
      ...campaign,
      rung: rungOf(campaign),
      data,
      budgetChanges: campaign.budgetChanges ?? [],
      controls: campaign.controls ?? [],
    }),
    experiment: experimentPart.strip().parse({ ...experiment, doubts: experiment.doubts ?? [] }),
    trials: trials.map((trial) => trialPart.strip().parse(trial)),
  });
};

export const recordName = 'record.json';

/** The one form of a JSON file in a bundle. */
export const canonicalJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export const relativeOf = ({
  id,
  number,
  kind,
  arm,
  state,
  parentId,
  proposal,
  architecture,
  fitness,
  verdict,
}: Pick<
  Experiment,
  'id' | 'number' | 'kind' | 'arm' | 'state' | 'parentId' | 'proposal' | 'architecture' | 'fitness' | 'verdict'
>): Relative => ({
  id,
  number,
  kind,
  arm,
  state,
  parentId,
  name: proposal?.name ?? null,
  author: proposal?.author ?? null,
  operator: proposal?.operator ?? null,
  motivation: proposal?.motivation ?? null,
  changes: proposal?.changes ?? [],
  programHash: architecture?.hash ?? null,
  fitness: fitness?.value ?? null,
  verdict: verdict?.verdict ?? null,
});

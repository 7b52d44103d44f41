import * as z from 'zod';
import { dataSourceSchema } from './data.ts';
import { baselineNameSchema } from './genome.ts';
import { firstReserveSeconds, rungNameSchema, rungs } from './rung.ts';
import { sandboxNeedSchema } from './sandbox.ts';

export const presetNames = ['quick', 'standard', 'asi-arch', 'tiny'] as const;
export const policyNames = ['asi-arch', 'greedy', 'random'] as const;

const startSchema = z
  .string()
  .min(1)
  .describe(
    `a text, either a baseline's name (${baselineNameSchema.options.join(', ')}) or the path of a mixer file ("/home/me/mixer.py")`,
  );

/**
 * Everything a campaign is told. All fields have a value in every preset, so `{}` is a good campaign. An optional one is younger than
 * campaigns that may still run.
 */
export const settingsSchema = z.strictObject({
  preset: z.enum(presetNames).describe('Named set of defaults'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .describe('Seed of sampling, mutation and trial seeds'),
  experiments: z.int().min(0).max(100_000).describe('Budget: candidates to propose beyond baselines and starts'),
  minutes: z.number().min(0.01).max(100_000).describe('Budget: minutes of wall time before verification begins'),
  trialSeconds: z
    .number()
    .min(0.01)
    .max(1e9)
    .describe(
      "Budget: seconds of training and scoring, summed over slots; at least a quarter of the rung's wall limit, which the first trial reserves",
    ),
  slots: z.int().min(1).max(64).describe('Trials that run at the same time; one thread each'),
  rung: rungNameSchema.describe('Model shape, tasks, steps and wall limit of a trial'),
  data: dataSourceSchema.describe('Text to train on: {"kind":"stdlib"} or {"kind":"folder","path":"..."}'),
  policy: z.enum(policyNames).describe('How parents are drawn from the pool'),
  baselines: z
    .array(baselineNameSchema)
    .min(1)
    .max(9)
    .describe('Architectures trained first; the first is the reference of every comparison'),
  starts: z.array(startSchema).max(32).describe('Starting architectures: baseline names or paths of mixer files'),
  exploreSeeds: z.int().min(1).max(16).describe('Seeds each baseline and candidate is trained with while exploring'),
  confirmSeeds: z.int().min(2).max(32).describe('Fresh seeds for the finalists and the strongest baselines'),
  confirmSeedsMax: z
    .int()
    .min(2)
    .max(32)
    .describe('Fresh seeds at most: more are added while they can change a verdict; below confirmSeeds it adds none'),
  confirmBaselines: z
    .int()
    .min(2)
    .max(9)
    .optional()
    .describe(
      'Baselines on fresh seeds at most: the reference, the fittest other one, and each that may be the strongest; two where it is not set',
    ),
  finalists: z.int().min(1).max(16).describe('Candidates that are confirmed'),
  poolBatch: z.int().min(1).max(1000).describe('Finished experiments between two rebuilds of the pool'),
  coldStart: z.int().min(0).max(10_000).describe('Candidates that start from baselines and starts before the pool is used'),
  controlShare: z.number().min(0).max(1).describe('Share of candidates that go to the random control arm'),
  fitness: z
    .enum(['paired-gain', 'asi-arch'])
    .describe("paired-gain: bits per byte against the reference on common seeds; asi-arch: the paper's sigmoids"),
  maxRepairs: z.int().min(0).max(10).describe('Attempts to repair a candidate that failed a gate'),
  targetGain: z
    .number()
    .positive()
    .nullable()
    .describe('Stop exploring when a candidate gains this many bits per byte; null for never'),
  sandbox: sandboxNeedSchema.describe(
    'Weakest sandbox in which programs of the evolver, baselines and your own files may run; with less they wait. Your own files never run in none unless ASI_ALLOW_UNSANDBOXED names the campaign',
  ),
  modelSandbox: sandboxNeedSchema.describe('The same for programs that a language model wrote'),
  hints: z.array(z.string().min(1).max(500)).max(20).describe('Words for the researcher, for example "try wider FIR branches"'),
});
export type CampaignSettings = z.infer<typeof settingsSchema>;

/** What a person may send: any part of the settings. Unknown fields are errors. */
export const campaignInputSchema = settingsSchema.partial();
export type CampaignInput = z.infer<typeof campaignInputSchema>;

const quick: CampaignSettings = {
  preset: 'quick',
  seed: 1,
  experiments: 8,
  minutes: 30,
  trialSeconds: 3600,
  slots: 2,
  rung: 'quick',
  data: { kind: 'stdlib' },
  policy: 'asi-arch',
  baselines: ['deltanet', 'ssd', 'kda', 'deltanet-fir-gate'],
  starts: [],
  exploreSeeds: 2,
  confirmSeeds: 3,
  confirmSeedsMax: 4,
  confirmBaselines: 3,
  finalists: 2,
  poolBatch: 2,
  coldStart: 3,
  controlShare: 0.1,
  fitness: 'paired-gain',
  maxRepairs: 2,
  targetGain: null,
  sandbox: 'none',
  modelSandbox: 'S1',
  hints: [],
};

export const presets: Readonly<Record<(typeof presetNames)[number], CampaignSettings>> = {
  quick,
  standard: {
    ...quick,
    preset: 'standard',
    experiments: 60,
    minutes: 600,
    trialSeconds: 80_000,
    rung: 'standard',
    baselines: [
      'deltanet',
      'linear-attention',
      'retnet',
      'ssd',
      'gla',
      'gated-deltanet',
      'kda',
      'deltanet-value-mix',
      'deltanet-fir-gate',
    ],
    confirmSeeds: 5,
    confirmSeedsMax: 10,
    confirmBaselines: 9,
    finalists: 4,
    poolBatch: 5,
    coldStart: 10,
  },
  /** The paper's pool rules and fitness (arXiv 2507.18074, section 3 and its released code) on our ladder. */
  'asi-arch': {
    ...quick,
    preset: 'asi-arch',
    experiments: 400,
    minutes: 6000,
    trialSeconds: 500_000,
    rung: 'standard',
    exploreSeeds: 1,
    confirmSeeds: 5,
    confirmSeedsMax: 10,
    confirmBaselines: 4,
    finalists: 5,
    poolBatch: 50,
    coldStart: 200,
    controlShare: 0,
    fitness: 'asi-arch',
  },
  /** For tests of the path: seconds long, its scores rank nothing. */
  tiny: {
    ...quick,
    preset: 'tiny',
    experiments: 3,
    rung: 'tiny',
    baselines: ['deltanet', 'linear-attention'],
    confirmSeeds: 2,
    confirmSeedsMax: 3,
    confirmBaselines: 2,
    finalists: 1,
    coldStart: 1,
  },
};

/** Baselines on fresh seeds at most; two was the rule before it was a setting. */
export const mostConfirmedBaselines = ({ confirmBaselines }: Pick<CampaignSettings, 'confirmBaselines'>): number =>
  confirmBaselines ?? 2;

/** With less no trial of the rung could begin. */
export const leastTrialSeconds = ({ rung }: Pick<CampaignSettings, 'rung'>): number => firstReserveSeconds(rungs[rung]);

/** The preset's values with the person's own on top. */
export const resolveSettings = (input: CampaignInput): CampaignSettings => ({
  ...presets[input.preset ?? 'quick'],
  ...Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)),
});

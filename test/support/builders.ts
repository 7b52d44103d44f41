import { createHash } from 'node:crypto';
import type * as z from 'zod';
import {
  type Analysis,
  analysisSchema,
  type Comparison,
  comparisonSchema,
  type Effect,
  effectSchema,
} from '../../workflows/contracts/analysis.ts';
import {
  type Architecture,
  architectureSchema,
  type GateResult,
  gateResultSchema,
  type ModelSize,
  modelSizeSchema,
} from '../../workflows/contracts/architecture.ts';
import { baselineGenomes } from '../../workflows/contracts/baselines.ts';
import {
  type Campaign,
  type Conclusion,
  campaignSchema,
  conclusionSchema,
  type Pool,
  poolSchema,
} from '../../workflows/contracts/campaign.ts';
import { type DataManifest, dataManifestSchema } from '../../workflows/contracts/data.ts';
import {
  type Experiment,
  experimentSchema,
  type Fitness,
  fitnessSchema,
  isTerminal,
  type Proposal,
  proposalSchema,
  type Verdict,
  verdictSchema,
} from '../../workflows/contracts/experiment.ts';
import { type Failure, failureSchema } from '../../workflows/contracts/failure.ts';
import { experimentId, trialId } from '../../workflows/contracts/ids.ts';
import { type LedgerRow, ledgerRowSchema } from '../../workflows/contracts/ledger.ts';
import { rungs } from '../../workflows/contracts/rung.ts';
import { type Score, scoreSchema } from '../../workflows/contracts/score.ts';
import { presets } from '../../workflows/contracts/settings.ts';
import { type Trial, trialSchema } from '../../workflows/contracts/trial.ts';

/**
 * Records for tests: each builder gives a whole, valid record of campaign `c-test` with the given fields on top. What a test does not name
 * follows from what it names (the id from the number, the end time from the state). A record that its schema refuses throws at once.
 */
const built =
  <T>(schema: z.ZodType<T>, complete: (part: Partial<T>) => unknown) =>
  (part: Partial<T> = {}): T =>
    schema.parse({ ...(complete(part) as object), ...part });

const at = '2026-11-21T10:00:00.000Z';
const later = '2026-11-21T10:05:00.000Z';

/** A well-formed address made of any text. */
export const aHash = (text = 'program'): string => createHash('sha256').update(text).digest('hex');

export const aDataManifest = built<DataManifest>(dataManifestSchema, () => ({
  source: { kind: 'stdlib' },
  hash: aHash('data'),
  trainBytes: 9_000_000,
  heldOutBytes: 1_000_000,
  trainFiles: 900,
  heldOutFiles: 100,
  shards: {
    search: { bytes: 400_000, files: 40 },
    promotion: { bytes: 300_000, files: 30 },
    champion: { bytes: 300_000, files: 30 },
  },
  folder: '/data/stdlib',
}));

export const aCampaign = built<Campaign>(campaignSchema, ({ id = 'c-test', state = 'exploring', settings = presets.tiny }) => ({
  id,
  workflowId: id,
  runId: 'b0f5ad7e-0000-4000-8000-000000000001',
  state,
  epoch: 0,
  settings,
  rung: rungs[settings.rung],
  data: aDataManifest(),
  noise: [],
  conclusion: null,
  reason: state === 'failed' || state === 'cancelled' ? 'asked to' : null,
  versions: { 'asi-arch': '0.1.0', torch: '2.13.0' },
  createdAt: at,
  updatedAt: at,
  finishedAt: state === 'finished' || state === 'failed' || state === 'cancelled' ? later : null,
}));

export const anEffect = built<Effect>(effectSchema, () => ({
  metric: 'bits-per-byte',
  mean: 0.04,
  low: 0.01,
  high: 0.07,
  seeds: 2,
  method: 'paired t, pooled noise, 95 %',
}));

export const aFitness = built<Fitness>(fitnessSchema, ({ value = 0.04 }) => ({
  rule: 'paired-gain',
  value,
  effects: [anEffect({ mean: value, low: value - 0.03, high: value + 0.03 })],
}));

export const aVerdict = built<Verdict>(verdictSchema, () => ({
  verdict: 'better',
  against: 'deltanet',
  effect: anEffect({ seeds: 3 }),
  statement: 'Better than deltanet by 0.04 bits per byte [0.01, 0.07] on 3 fresh seeds.',
}));

export const aFailure = built<Failure>(failureSchema, () => ({
  label: 'gate',
  detail: 'causality: the output at position 3 changes with the input at position 5',
  stage: 'check',
  logArtifact: null,
}));

export const aProposal = built<Proposal>(proposalSchema, () => ({
  name: 'gated-delta + fir 3',
  motivation: 'A short FIR branch restores local copies that the state forgets.',
  expectedEffect: 'Lower loss on bytes; recall unchanged.',
  changes: [{ gene: 'fir', from: 'none', to: '3', recurrence: false }],
  author: 'evolver',
  operator: 'mutate:fir',
  genome: { ...baselineGenomes.deltanet, fir: [3], router: 'sigmoid' },
}));

export const aModelSize = built<ModelSize>(modelSizeSchema, () => ({
  task: 'bytes',
  mlpHidden: 128,
  parameters: 100_000,
  mixerParameters: 40_000,
  referenceParameters: 100_500,
  flopsPerToken: 220_000,
  referenceFlopsPerToken: 215_000,
}));

export const anArchitecture = built<Architecture>(architectureSchema, ({ hash = aHash() }) => ({
  hash,
  genome: aProposal().genome,
  kernels: [],
  sizes: [aModelSize(), aModelSize({ task: 'recall' })],
}));

export const aGateResult = built<GateResult>(gateResultSchema, () => ({
  gate: 'causality',
  verdict: 'pass',
  evidence: 'no output before any of 12 cuts changed, seeds 1 to 3',
  measured: 0,
  limit: 1e-9,
  seed: 0,
  seconds: 0.4,
}));

export const aComparison = built<Comparison>(comparisonSchema, () => ({
  against: 'reference',
  experimentId: experimentId('c-test', 0),
  name: 'deltanet',
  effects: [anEffect()],
  timeRatio: 1.1,
  parameterRatio: 1.0,
}));

export const anAnalysis = built<Analysis>(analysisSchema, () => ({
  author: 'rules',
  summary: 'Gained 0.04 bits per byte [0.01, 0.07] over deltanet on 2 common seeds.',
  comparisons: [aComparison()],
  lessons: [{ change: 'fir none to 3', lesson: 'A short FIR branch lowered the loss on bytes.', gain: 0.04 }],
  problem: 'Recall of early pairs fades with length.',
}));

/** Planned unless a state is named; a later state brings what an experiment has by then. */
export const anExperiment = built<Experiment>(experimentSchema, (part) => {
  const { campaignId = 'c-test', number = 1, state = 'planned', parentId = null } = part;
  const reached = (...states: readonly Experiment['state'][]): boolean => states.includes(state);
  const isProposed = state !== 'planned' && state !== 'cancelled';
  return {
    id: experimentId(campaignId, number),
    campaignId,
    number,
    kind: 'candidate',
    arm: 'policy',
    state,
    epoch: 0,
    parentId,
    referenceIds: [],
    ancestors: parentId === null ? [] : [parentId],
    poolVersion: 0,
    proposal: isProposed ? aProposal({ name: `candidate ${number}` }) : null,
    architecture: isProposed ? anArchitecture({ hash: aHash(`program ${number}`) }) : null,
    gates: reached('checked', 'trained', 'judged', 'analysed', 'recorded') ? [aGateResult()] : [],
    attempts: [],
    fitness: reached('judged', 'analysed', 'recorded') ? aFitness() : null,
    analysis: reached('analysed', 'recorded') ? anAnalysis() : null,
    verdict: null,
    failure: reached('rejected', 'failed') ? aFailure() : null,
    createdAt: at,
    updatedAt: at,
    finishedAt: isTerminal(state) ? later : null,
  };
});

export const aTrial = built<Trial>(trialSchema, (part) => {
  const { rung = 'tiny', seed = 1, state = 'queued', rate, experimentId: experiment = experimentId('c-test', 1) } = part;
  const isTrained = state === 'trained' || state === 'scored';
  return {
    id: trialId(experiment, { rung, seed, rate }),
    experimentId: experiment,
    rung,
    seed,
    purpose: 'explore',
    state,
    epoch: 0,
    curve: isTrained ? [5, 10].map((step) => ({ task: 'bytes', step, loss: 5 - step / 10, cpuSeconds: step / 10 })) : [],
    checkpointArtifact: isTrained ? aHash(`checkpoint of ${experiment} ${seed}`) : null,
    cpuSeconds: isTrained ? 1 : 0,
    tokensPerSecond: isTrained ? 20_000 : null,
    peakMemoryBytes: isTrained ? 300_000_000 : null,
    failure: state === 'failed' ? aFailure({ label: 'nonfinite', stage: 'train', detail: 'loss is NaN at step 4' }) : null,
    createdAt: at,
    updatedAt: at,
  };
});

export const aScore = built<Score>(scoreSchema, ({ trialId: trial = aTrial().id, value = 2.5 }) => ({
  trialId: trial,
  metric: 'bits-per-byte',
  value,
  fullSequence: value,
  gapStandardError: 1e-7,
  prefixes: 512,
  cuts: 8,
  set: 'search',
  seed: Number(trial.split('/s').at(-1)),
  rung: trial.split('/')[2]?.replace(/-(half|twice)-rate$/, ''),
  programHash: aHash(),
  checkpointHash: aHash('checkpoint'),
  dataHash: aHash('data'),
  judgeVersion: '0123456789abcdef',
  sandboxTier: 'none',
  sandboxCanaries: '0/0',
  device: 'cpu',
  seal: aHash('seal'),
}));

export const aLedgerRow = built<LedgerRow>(ledgerRowSchema, ({ purpose = aTrial().id, kind = 'reserve' }) => ({
  id: `${purpose}#${kind}`,
  campaignId: 'c-test',
  purpose,
  kind,
  resource: 'trial-seconds',
  amount: 10,
  at,
}));

export const aPool = built<Pool>(poolSchema, () => ({
  version: 1,
  entries: [{ experimentId: experimentId('c-test', 1), fitness: 0.04, depth: 0 }],
}));

export const aConclusion = built<Conclusion>(conclusionSchema, () => ({
  verdict: 'nothing-found',
  statement: 'No candidate could be told from deltanet.',
  finalists: [],
  reportPath: null,
  bundlePaths: [],
}));

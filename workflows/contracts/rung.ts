import * as z from 'zod';
import { type OtherRate, otherRateNames } from './naming.ts';

export { type OtherRate, otherRateNames } from './naming.ts';

const optimiserSchema = z.strictObject({
  /** Optimiser steps. */
  steps: z.int().min(1),
  /** Sequences a step. */
  batch: z.int().min(1),
  /** Peak learning rate of AdamW (betas 0.9, 0.98; clip 1); 10 % linear warm-up, cosine to 5 %. */
  learningRate: z.number().positive(),
  weightDecay: z.number().min(0),
  /** Snapshots kept for the scorer, evenly spaced and including the last step. */
  snapshots: z.int().min(1).max(20),
});

export const taskSchema = z.discriminatedUnion('kind', [
  /** Next byte of text; scored in bits per byte on held-out files. */
  z.strictObject({
    kind: z.literal('bytes'),
    length: z.int().min(8),
    layers: z.int().min(1),
    evalSequences: z.int().min(1),
    ...optimiserSchema.shape,
  }),
  /** Multi-query associative recall with a difficulty curriculum (Zoology, arXiv 2312.04927): pairs rises to the last entry after 30 % of the run. */
  z.strictObject({
    kind: z.literal('recall'),
    length: z.int().min(8),
    layers: z.int().min(1),
    vocabulary: z.int().min(8),
    pairs: z.array(z.int().min(1)).min(1),
    evalSequences: z.int().min(1),
    ...optimiserSchema.shape,
  }),
  /** Selective copy (MAD, arXiv 2403.17844): repeat the marked tokens in order after blanks. */
  z.strictObject({
    kind: z.literal('copy'),
    length: z.int().min(8),
    layers: z.int().min(1),
    vocabulary: z.int().min(4),
    tokens: z.int().min(1),
    evalSequences: z.int().min(1),
    ...optimiserSchema.shape,
  }),
]);
export type Task = z.infer<typeof taskSchema>;
export const taskKinds = ['bytes', 'recall', 'copy'] as const;
export type TaskKind = (typeof taskKinds)[number];

export const rungSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,32}$/),
  /** Model width. */
  hidden: z.int().min(8),
  /** Heads of the reference; K = V = hidden / heads. */
  heads: z.int().min(1),
  /** MLP width of the reference as a multiple of hidden (SwiGLU). Candidates get the width that matches the reference's parameters. */
  mlpRatio: z.number().positive(),
  tasks: z.array(taskSchema).min(1),
  /** Wall limit of one trial in seconds, on one thread of a slow machine. */
  wallLimitSeconds: z.int().min(1),
});
export type Rung = z.infer<typeof rungSchema>;

/** What a trial reserves before any of its campaign ended: a quarter of the wall limit, since that limit is set for slow machines. */
export const firstReserveSeconds = ({ wallLimitSeconds }: Pick<Rung, 'wallLimitSeconds'>): number => wallLimitSeconds / 4;

/**
 * `tiny` is for tests of the path, not of the science: its scores rank nothing. `quick` is sized to eight to ten CPU seconds a trial for
 * DeltaNet; its byte rate is below what baselines learn best at (8e-3 to 16e-3), because seeds then differ by little more than half as much, and its recall
 * rate is one at which baselines lie seven deviations of a seed apart (`python -m asi_kernels.bench.trial --seeds 3`). The byte rate of
 * `standard` is, among 4e-3, 8e-3 and 16e-3, the one that baselines learn best at (`python -m asi_kernels.bench.rates`), so that no program gains
 * by another.
 */
export const rungs = {
  tiny: {
    name: 'tiny',
    hidden: 16,
    heads: 2,
    mlpRatio: 2,
    tasks: [
      {
        kind: 'bytes',
        length: 32,
        layers: 1,
        evalSequences: 8,
        steps: 10,
        batch: 4,
        learningRate: 4e-3,
        weightDecay: 0.05,
        snapshots: 2,
      },
      {
        kind: 'recall',
        length: 16,
        layers: 1,
        vocabulary: 16,
        pairs: [2],
        evalSequences: 16,
        steps: 10,
        batch: 4,
        learningRate: 5e-3,
        weightDecay: 0.01,
        snapshots: 2,
      },
    ],
    wallLimitSeconds: 60,
  },
  quick: {
    name: 'quick',
    hidden: 64,
    heads: 2,
    mlpRatio: 2,
    tasks: [
      {
        kind: 'bytes',
        length: 128,
        layers: 2,
        evalSequences: 128,
        steps: 120,
        batch: 16,
        learningRate: 4e-3,
        weightDecay: 0.05,
        snapshots: 1,
      },
      {
        kind: 'recall',
        length: 32,
        layers: 2,
        vocabulary: 32,
        pairs: [2, 4],
        evalSequences: 256,
        steps: 80,
        batch: 32,
        learningRate: 8e-3,
        weightDecay: 0.01,
        snapshots: 5,
      },
    ],
    wallLimitSeconds: 180,
  },
  standard: {
    name: 'standard',
    hidden: 64,
    heads: 2,
    mlpRatio: 2,
    tasks: [
      {
        kind: 'bytes',
        length: 256,
        layers: 3,
        evalSequences: 256,
        steps: 150,
        batch: 16,
        learningRate: 8e-3,
        weightDecay: 0.05,
        snapshots: 3,
      },
      {
        kind: 'recall',
        length: 64,
        layers: 2,
        vocabulary: 64,
        pairs: [2, 4, 8],
        evalSequences: 512,
        steps: 400,
        batch: 32,
        learningRate: 5e-3,
        weightDecay: 0.01,
        snapshots: 10,
      },
      {
        kind: 'copy',
        length: 64,
        layers: 2,
        vocabulary: 18,
        tokens: 8,
        evalSequences: 512,
        steps: 300,
        batch: 32,
        learningRate: 5e-3,
        weightDecay: 0.01,
        snapshots: 1,
      },
    ],
    wallLimitSeconds: 1800,
  },
} as const satisfies Record<string, Rung>;
/** Rates beside a rung's own that baselines are trained at before anything is called better, as multiples of it. */
export const otherRates = { half: 0.5, twice: 2 } as const satisfies Readonly<Record<OtherRate, number>>;
export const otherRateSchema = z.enum(otherRateNames);

/**
 * The recipe at another rate: its first task alone, which verdicts are about. It keeps its name, since data, held-out windows and cuts follow from
 * name and seed, and a comparison on common seeds needs them alike.
 */
export const atRate = (rung: Rung, rate: OtherRate | undefined): Rung =>
  rate === undefined
    ? rung
    : {
        ...rung,
        tasks: rung.tasks.slice(0, 1).map((task) => ({ ...task, learningRate: task.learningRate * otherRates[rate] })),
      };

export const rungNames = ['tiny', 'quick', 'standard'] as const;
export const rungNameSchema = z.enum(rungNames);
export type RungName = z.infer<typeof rungNameSchema>;

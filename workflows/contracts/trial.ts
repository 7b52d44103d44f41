import * as z from 'zod';
import { gateResultSchema, hashSchema, modelSizeSchema } from './architecture.ts';
import { dataManifestSchema, dataSourceSchema } from './data.ts';
import { failureLabelSchema, failureSchema } from './failure.ts';
import { genomeSchema } from './genome.ts';
import { experimentIdSchema, trialIdSchema } from './ids.ts';
import { otherRateSchema, rungSchema } from './rung.ts';
import { sandboxFactsSchema } from './sandbox.ts';

/** What the work on a trained trial took, in CPU seconds of every process of a job as the supervisor measured them. */
export const trialUsageSchema = z.strictObject({
  /**
   * Of the attempt that trained it to its end and of those whose work that one went on with. Work that an outage lost is counted among what
   * the trial `spent`, and is no effort of the program.
   */
  trainSeconds: z.number().min(0),
  /** Of the two processes that answered the judge first; null before. */
  answerSeconds: z.number().min(0).nullable(),
  /** Training over what the baselines lead to expect of this program, and over the reference's; null where that is not known. */
  timesExpected: z.number().min(0).nullable(),
  timesReference: z.number().min(0).nullable(),
  /**
   * Size of its mixers' gradients over that of the rest of the model while it learnt bytes, of all numbers together and of one; what both come to
   * over the median baseline's (`rules/pull.ts`).
   */
  pull: z.number().min(0).nullable().optional(),
  pullOfOne: z.number().min(0).nullable().optional(),
  timesPull: z.number().min(0).nullable().optional(),
  /**
   * Bits per byte that its score lies below the last loss of its training, and what that is beyond the baselines' (`rules/ahead-of-training.ts`).
   */
  aheadOfTraining: z.number().nullable().optional(),
  aheadOfBaselines: z.number().nullable().optional(),
  /** Said beside its results where it used more than its work explains; null where it did not. */
  mark: z.string().max(1000).nullable(),
});
export type TrialUsage = z.infer<typeof trialUsageSchema>;

/** What a run of a job worked at for its trial. */
export const spentWorks = ['train', 'repeat', 'answer', 'judge'] as const;
/**
 * CPU seconds of one run of one of its jobs, as the supervisor measured them so far. The id is the dispatcher's for that run, so that a run
 * whose end is met twice counts once.
 */
export const spentSchema = z.strictObject({ runId: z.string().min(1), work: z.enum(spentWorks), seconds: z.number().min(0) });
export type Spent = Readonly<z.infer<typeof spentSchema>>;

/** What the final weights say to a fixed input, as the process that answered the judge about whole sequences computed it. */
export const loadedLogitsSchema = z.strictObject({
  /** Of PyTorch. */
  torch: z.string().max(100),
  /** System, machine and instruction set: what decides the last bits. */
  platform: z.string().max(100),
  tasks: z
    .array(
      z.strictObject({
        task: z.string().max(32),
        /** Of the float32 bits, little-endian. */
        sha256: hashSchema,
        mean: z.number(),
        largest: z.number().min(0),
        /** Evenly spaced among them. */
        sample: z.array(z.number()).min(1).max(64),
      }),
    )
    .min(1)
    .max(10),
});
export type LoadedLogits = Readonly<z.infer<typeof loadedLogitsSchema>>;

export const trialPurposes = ['explore', 'confirm', 'rate'] as const;
export type TrialPurpose = (typeof trialPurposes)[number];

/** Trial in the archive: one training run of one architecture on one rung with one seed. */
export const trialSchema = z.strictObject({
  id: trialIdSchema,
  experimentId: experimentIdSchema,
  rung: z.string(),
  seed: z.int().min(0),
  /** rate: to see whether a baseline at another learning rate is as good as what is to be called better. */
  purpose: z.enum(trialPurposes),
  /** Of its learning rate, against the rung's own; there for the purpose `rate` alone. */
  rate: otherRateSchema.optional(),
  state: z.enum(['queued', 'running', 'trained', 'scored', 'failed', 'cancelled']),
  /** Fencing token: rises with every claim; writes with an older one are refused. */
  epoch: z.int().min(0),
  curve: z.array(z.strictObject({ task: z.string(), step: z.int(), loss: z.number().nullable(), cpuSeconds: z.number() })),
  checkpointArtifact: hashSchema.nullable(),
  /** Of every run so far, also of those that ended in an outage: the sum of `spent`, and in records of older versions what stood there. */
  cpuSeconds: z.number().min(0),
  /** Absent in records of older versions, and before anything ran. */
  spent: z.array(spentSchema).optional(),
  /** Absent in records of older versions, and before the training ends. */
  usage: trialUsageSchema.optional(),
  /** Absent in records of older versions, before it is scored, and where they are not finite. */
  fixedLogits: loadedLogitsSchema.optional(),
  tokensPerSecond: z.number().min(0).nullable(),
  peakMemoryBytes: z.number().min(0).nullable(),
  failure: failureSchema.nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Trial = z.infer<typeof trialSchema>;

// ---- The Python boundary: one request JSON, progress as JSON lines, one result JSON. -------------------------------------------------

export const pythonCommands = ['prepare', 'check', 'train', 'answer'] as const;
export type PythonCommand = (typeof pythonCommands)[number];

/** `prepare`: read a data source and write the split. Result: a manifest. */
export const prepareRequestSchema = z.strictObject({
  source: dataSourceSchema,
  /** Folder under which a folder named by the hash is made, for training text. */
  cacheFolder: z.string(),
  /** The judge's folder: held-out text goes below its `data` and nowhere else. */
  judgeFolder: z.string(),
  /** Refuse when the training text is smaller than this many bytes, or one of the held-out shards smaller than the second number. */
  minimumTrainBytes: z.int().min(0),
  minimumHeldOutBytes: z.int().min(0),
});
export type PrepareRequest = z.infer<typeof prepareRequestSchema>;
export const prepareResultSchema = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('ok'), manifest: dataManifestSchema }),
  /** field names the part of the source at fault; message says the value and what would be right. */
  z.strictObject({ status: z.literal('refused'), field: z.string(), message: z.string() }),
]);
export type PrepareResult = z.infer<typeof prepareResultSchema>;

/** `check`: build the model of every task, match parameters, run the gates. */
export const checkRequestSchema = z.strictObject({
  programPath: z.string(),
  rung: rungSchema,
  /** Program of the reference baseline, for parameter and FLOP match. */
  referencePath: z.string(),
  seed: z.int().min(0),
  /**
   * Random cuts of the causality gate in each layer and mode: a leak that shows at a share e of cuts is found with probability 1 - (1 - e)^cuts.
   * 8 for every candidate, 100 for the best tenth, 300 and more for champions.
   */
  cuts: z.int().min(1),
  /** Largest model FLOPs as a multiple of the reference's. */
  flopsLimit: z.number().positive(),
});
export type CheckRequest = z.infer<typeof checkRequestSchema>;
export const checkResultSchema = z.strictObject({
  programHash: hashSchema,
  /** pass: every gate passed or does not apply. */
  status: z.enum(['pass', 'fail']),
  /** Set on fail: rejected_static, import_error, compile_error, gate, unmatched, nonfinite. */
  label: failureLabelSchema.nullable(),
  detail: z.string(),
  gates: z.array(gateResultSchema),
  sizes: z.array(modelSizeSchema).nullable(),
  cpuSeconds: z.number(),
});
export type CheckResult = z.infer<typeof checkResultSchema>;

/** `train`: train every task of the rung from one seed. Resumes from `workdir/checkpoints` where it finds its own. */
export const trainRequestSchema = z.strictObject({
  trialId: trialIdSchema,
  programPath: z.string(),
  programHash: hashSchema,
  rung: rungSchema,
  /** MLP width by task kind, as the check found it. */
  sizes: z.array(modelSizeSchema),
  seed: z.int().min(0),
  data: dataManifestSchema,
  /** Optimiser steps between two resumable checkpoints. */
  checkpointEvery: z.int().min(1),
  /** Steps between two progress lines. */
  reportEvery: z.int().min(1),
});
export type TrainRequest = z.infer<typeof trainRequestSchema>;

/** One line of progress. loss null means not finite. */
export const trainProgressSchema = z.strictObject({
  task: z.enum(['bytes', 'recall', 'copy']),
  step: z.int().min(0),
  steps: z.int().min(1),
  /** Training loss in nats a token, mean since the last line. */
  loss: z.number().nullable(),
  tokens: z.int().min(0),
  /** CPU seconds of this trial so far, all attempts counted. */
  cpuSeconds: z.number().min(0),
});
export type TrainProgress = z.infer<typeof trainProgressSchema>;

export const trainResultSchema = z.strictObject({
  trialId: trialIdSchema,
  status: z.enum(['trained', 'failed']),
  /** Set on failed: nonfinite, import_error, exit (an exception in candidate code). */
  label: failureLabelSchema.nullable(),
  detail: z.string(),
  curve: z.array(z.strictObject({ task: z.string(), step: z.int(), loss: z.number().nullable(), cpuSeconds: z.number() })),
  /** Of each task that was trained to its end: size of the gradients of mixers over that of all others; null without mixer parameters. */
  pulls: z.array(
    z.strictObject({ task: z.string(), pull: z.number().min(0).nullable(), pullOfOne: z.number().min(0).nullable() }),
  ),
  /** One safetensors file with every task's snapshots: keys `<task>/<step>/<parameter>`. Path inside the work folder; null on failure. */
  checkpointPath: z.string().nullable(),
  /** By the trainer's own account, of this attempt and of those whose work it went on with. */
  cpuSeconds: z.number(),
  /** The part of it that is of those before: their share of the checkpoint that this attempt began with. */
  earlierCpuSeconds: z.number().min(0),
  tokens: z.int(),
  /** Training tokens per CPU second, all tasks. */
  tokensPerSecond: z.number().nullable(),
  peakMemoryBytes: z.number().nullable(),
  /** Hash over the exact bits of every loss, for resume tests. */
  lossDigest: z.string(),
  torchVersion: z.string(),
});
export type TrainResult = z.infer<typeof trainResultSchema>;

/** `answer`: load the snapshots into fresh models and answer the judge's questions on descriptors 4 and 5. Holds no target and no data. */
export const answerRequestSchema = z.strictObject({
  trialId: trialIdSchema,
  programPath: z.string(),
  programHash: hashSchema,
  checkpointPath: z.string(),
  rung: rungSchema,
  sizes: z.array(modelSizeSchema),
  seed: z.int().min(0),
});
export type AnswerRequest = z.infer<typeof answerRequestSchema>;
export const answerResultSchema = z.strictObject({
  trialId: trialIdSchema,
  status: z.enum(['answered', 'failed']),
  label: failureLabelSchema.nullable(),
  detail: z.string(),
  device: z.string(),
  cpuSeconds: z.number(),
  fixedLogits: loadedLogitsSchema.nullable(),
});
export type AnswerResult = z.infer<typeof answerResultSchema>;

// ---- The host: one warm Python process that forks a child per job. One JSON object a line on stdin and stdout. ------------------------

export const hostRequestSchema = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('run'),
    id: z.string().min(1),
    command: z.enum(pythonCommands),
    requestPath: z.string(),
    /** The only folder the child may write to. Holds log.txt and result.json afterwards. */
    workdir: z.string(),
    /**
     * Two FIFOs outside of workdir that the host opens before it forks; the child gets them as descriptors 4 (reads the judge's questions)
     * and 5 (writes its answers). null for commands that talk to nobody.
     */
    channel: z.strictObject({ questions: z.string(), answers: z.string() }).nullable(),
    limits: z.strictObject({
      wallSeconds: z.number().positive(),
      /** Longest time without a progress line. */
      idleSeconds: z.number().positive(),
      /** Resident memory of the child's process tree. */
      memoryBytes: z.int().positive(),
      /** Bytes of stdout and stderr; past that the child is ended with log_flood. */
      logBytes: z.int().positive(),
    }),
  }),
  z.strictObject({ op: z.literal('cancel'), id: z.string().min(1) }),
  /** Answered with pong at once, whatever runs. */
  z.strictObject({ op: z.literal('ping') }),
]);
export type HostRequest = z.infer<typeof hostRequestSchema>;

export const hostEventSchema = z.discriminatedUnion('event', [
  z.strictObject({
    event: z.literal('ready'),
    pid: z.int(),
    torchVersion: z.string(),
    device: z.string(),
    sandbox: sandboxFactsSchema,
  }),
  z.strictObject({ event: z.literal('started'), id: z.string(), pid: z.int() }),
  z.strictObject({ event: z.literal('progress'), id: z.string(), progress: trainProgressSchema }),
  /** What a running job has used so far, every process of it; about once a second, so that it is known should the host die. */
  z.strictObject({ event: z.literal('used'), id: z.string(), cpuSeconds: z.number().min(0) }),
  z.strictObject({
    event: z.literal('finished'),
    id: z.string(),
    /** null: the child ended with status 0 and left a result.json. Otherwise decided from what the host saw. */
    label: failureLabelSchema.nullable(),
    detail: z.string(),
    wallSeconds: z.number(),
    cpuSeconds: z.number(),
    peakMemoryBytes: z.number(),
    /** Last 4,000 characters of the log, control characters removed. */
    logTail: z.string(),
  }),
  z.strictObject({ event: z.literal('pong') }),
  /** The line could not be used; the host goes on. */
  z.strictObject({ event: z.literal('refused'), id: z.string().nullable(), message: z.string() }),
]);
export type HostEvent = z.infer<typeof hostEventSchema>;

// ---- The tools process: trusted, runs no candidate code. ------------------------------------------------------------------------------

/** Texts of one request to embed. */
export const mostTexts = 256;

export const toolsRequestSchema = z.discriminatedUnion('op', [
  /** Program text for a genome. */
  z.strictObject({ op: z.literal('emit'), id: z.string(), genome: genomeSchema, name: z.string(), motivation: z.string() }),
  /** Unit vectors of 384 float32 a text (all-MiniLM-L6-v2), base64 of little-endian bytes. */
  z.strictObject({ op: z.literal('embed'), id: z.string(), texts: z.array(z.string()).max(mostTexts) }),
]);
export type ToolsRequest = z.infer<typeof toolsRequestSchema>;
export const toolsReplySchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('emit'), id: z.string(), program: z.string() }),
  z.strictObject({ op: z.literal('embed'), id: z.string(), vectors: z.array(z.string()), dimensions: z.int() }),
  z.strictObject({ op: z.literal('error'), id: z.string().nullable(), message: z.string() }),
]);
export type ToolsReply = z.infer<typeof toolsReplySchema>;
